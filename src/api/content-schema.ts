import { Type } from 'typebox';

const Fields = Type.Record(Type.String(), Type.Unknown());
const Sender = Type.Union([
  Type.String(),
  Type.Object({ name: Type.Optional(Type.Union([Type.String(), Type.Null()])), email: Type.String() }),
]);
const GivenFile = Type.Object({
  name: Type.String(),
  type: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  data: Type.Union([
    Type.String({ description: 'base64, without line breaks' }),
    Type.Object({
      type: Type.Literal('Buffer'),
      data: Type.Array(Type.Integer({ minimum: 0, maximum: 255 })),
    }),
  ]),
});

/** Content of a message: inline parts, a whole message, or the name of a template. */
export const ContentSchema = Type.Object({
  from: Type.Optional(Sender),
  subject: Type.Optional(Type.String()),
  text: Type.Optional(Type.String()),
  html: Type.Optional(Type.String()),
  amp_html: Type.Optional(Type.String()),
  reply_to: Type.Optional(Type.String()),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  attachments: Type.Optional(Type.Array(GivenFile)),
  inline_images: Type.Optional(Type.Array(GivenFile)),
  email_rfc822: Type.Optional(Type.String()),
  template_id: Type.Optional(Type.String()),
  use_draft_template: Type.Optional(Type.Boolean()),
  ab_test_id: Type.Optional(Type.String()),
});

export const OptionsSchema = Type.Object({
  start_time: Type.Optional(Type.String()),
  open_tracking: Type.Optional(Type.Boolean()),
  click_tracking: Type.Optional(Type.Boolean()),
  initial_open: Type.Optional(Type.Boolean()),
  transactional: Type.Optional(Type.Boolean()),
  skip_suppression: Type.Optional(Type.Boolean()),
  sandbox: Type.Optional(Type.Boolean()),
  ip_pool: Type.Optional(Type.String()),
  inline_css: Type.Optional(Type.Boolean()),
  perform_substitutions: Type.Optional(Type.Boolean()),
  dkim_key: Type.Optional(Type.String()),
});

export const TransmissionSchema = Type.Object({
  recipients: Type.Union([
    // Each is looked at on its own: one that is wrong does not cost the others their mail.
    Type.Array(Type.Unknown({ description: 'a recipient: address, and what is its own' })),
    Type.Object({ list_id: Type.String() }),
  ]),
  content: ContentSchema,
  return_path: Type.Optional(Type.String()),
  campaign_id: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  metadata: Type.Optional(Fields),
  substitution_data: Type.Optional(Fields),
  override: Type.Optional(
    Type.Object({
      from: Type.Optional(Sender),
      reply_to: Type.Optional(Type.String()),
      list_id: Type.Optional(Type.String()),
    }),
  ),
  options: Type.Optional(OptionsSchema),
});

export const DataSchema = Type.Object({ substitution_data: Type.Optional(Fields) });
