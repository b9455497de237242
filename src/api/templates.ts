import { Type } from 'typebox';
import {
  asTrouble,
  type Content,
  compileContent,
  dataOf,
  pathOf,
  readRecipient,
  type TemplateEntry,
  Trouble,
  type Which,
} from '../generation/index.ts';
import { json, type Route, results, route } from '../http/index.ts';
import type { Fields } from '../templates/index.ts';
import { ContentSchema, DataSchema } from './content-schema.ts';
import type { ApiHouse } from './house.ts';
import { isoText } from './iso-text.ts';
import { answered } from './trouble.ts';

const TAG = 'templates';
const MODIFY = { kind: 'key', grant: 'templates/modify' } as const;
const VIEW = { kind: 'key', grant: 'templates/view' } as const;
const PREVIEW = { kind: 'key', grant: 'templates/preview' } as const;
const MOST_BYTES = 5 * 1024 * 1024;
const MOST_LISTED = 50_000;

const Params = Type.Object({ id: Type.String() });
const Draft = Type.Object({
  draft: Type.Optional(Type.Boolean({ description: 'true: drafts only, false: published ones only' })),
});
const Edit = {
  name: Type.Optional(Type.String({ maxLength: 1024 })),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  published: Type.Optional(Type.Boolean()),
  options: Type.Optional(
    Type.Object({
      transactional: Type.Optional(Type.Boolean()),
      open_tracking: Type.Optional(Type.Boolean()),
      click_tracking: Type.Optional(Type.Boolean()),
    }),
  ),
};
const Nothing = Type.Object({});
const Rendered = Type.Object({ results: Type.Unknown() });

/** Stored templates (spec/http-api 5.1). */
export function templateRoutes(house: ApiHouse): readonly Route[] {
  const now = (): string => isoText(house.clock.date());
  const find = (id: string): TemplateEntry => {
    const entry = house.templates.find(id);
    if (entry === undefined) throw new MissingTemplate(id);
    return entry;
  };
  const version = (id: string, draft: boolean | undefined) => {
    const entry = find(id);
    const which = whichOf(entry, draft);
    return { entry, which, content: house.templates.content(entry, which).content };
  };
  const preview = (content: Content, data: Fields): unknown => {
    const compiled = compileContent(content, house.language, { override: {}, options: {} });
    const order = { substitutionData: data, metadata: {} };
    try {
      return compiled.preview(
        dataOf(order, readRecipient({ address: 'recipient@example.com' }), pathOf(undefined, '')),
      );
    } catch (error) {
      throw asTrouble(error);
    }
  };
  const checked = (content: Content): Content => {
    if (content.template_id !== undefined || content.ab_test_id !== undefined)
      throw new Trouble('1301', 'the content of a template cannot be another template');
    if (
      content.email_rfc822 !== undefined &&
      ['text', 'html', 'from', 'subject'].some((name) => Object.hasOwn(content, name))
    )
      throw new Trouble('1301', 'content has inline parts and email_rfc822, which exclude each other');
    compileContent(content, house.language, { override: {}, options: {} });
    return content;
  };

  return [
    route({
      method: 'POST',
      path: '/api/v1/templates',
      summary: 'stores a template',
      tag: TAG,
      access: MODIFY,
      needsRoom: true,
      mostBytes: MOST_BYTES,
      body: Type.Object({ id: Type.Optional(Type.String()), ...Edit, content: ContentSchema }),
      refuses: [400, 422],
      answer: { status: 200, summary: 'its id', schema: Type.Object({ results: Type.Object({ id: Type.String() }) }) },
      run: ({ body }) =>
        answered(() => {
          const id = body.id ?? idFrom(body.name);
          if (!/^[A-Za-z0-9_.-]{1,64}$/.test(id))
            throw new Trouble('1300', 'id has 1 to 64 letters, digits, dots, dashes and underscores');
          house.templates.create(id, { ...body, content: checked(body.content as Content) }, now());
          return results({ id });
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/templates',
      summary: 'all templates, without their content',
      tag: TAG,
      access: VIEW,
      query: Draft,
      answer: { status: 200, summary: 'the templates', schema: Type.Object({ results: Type.Array(Type.Unknown()) }) },
      run: ({ query }) =>
        answered(async () => {
          const found: ReturnType<typeof shortForm>[] = [];
          for (const page of house.templates.pages()) {
            for (const entry of page) {
              const wanted = query.draft === undefined || (query.draft ? entry.draft : entry.published) !== undefined;
              if (wanted && found.length < MOST_LISTED) found.push(shortForm(entry));
            }
            if (found.length === MOST_LISTED) break;
            await house.turn();
          }
          return results(found);
        }),
    }),
    route({
      method: 'GET',
      path: '/api/v1/templates/:id',
      summary: 'a template with its content',
      tag: TAG,
      access: VIEW,
      params: Params,
      query: Draft,
      refuses: [404, 422],
      answer: { status: 200, summary: 'the template', schema: Rendered },
      run: ({ params, query }) =>
        answered(() => {
          const { entry, which, content } = version(params.id, query.draft);
          return results({
            ...shortForm(entry),
            options: entry.options,
            published: which === 'published',
            last_update_time: entry[which]?.edited,
            content,
          });
        }),
    }),
    route({
      method: 'PUT',
      path: '/api/v1/templates/:id',
      summary: 'edits the draft of a template, or publishes it',
      tag: TAG,
      access: MODIFY,
      needsRoom: true,
      mostBytes: MOST_BYTES,
      params: Params,
      query: Type.Object({
        update_published: Type.Optional(Type.Boolean({ description: 'edits the published version' })),
      }),
      body: Type.Object({ ...Edit, content: Type.Optional(ContentSchema) }),
      refuses: [404, 422],
      answer: { status: 200, summary: 'it is', schema: Nothing },
      run: ({ params, query, body }) =>
        answered(() => {
          const entry = find(params.id);
          const { content, ...edit } = body;
          const changed = content === undefined ? edit : { ...edit, content: checked(content as Content) };
          house.templates.update(entry, changed, query.update_published === true, now());
          return json({});
        }),
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/templates/:id',
      summary: 'removes a template with all its versions',
      tag: TAG,
      access: MODIFY,
      params: Params,
      refuses: [404, 409],
      answer: { status: 200, summary: 'it is gone', schema: Nothing },
      run: ({ params }) =>
        answered(() => {
          const { id } = find(params.id);
          if (house.transmissions.register.uses(id))
            throw new Trouble('1602', `a transmission with template ${id} is being made`);
          house.templates.remove(id);
          return json({});
        }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/templates/:id/preview',
      summary: 'a template filled in',
      tag: TAG,
      access: PREVIEW,
      params: Params,
      query: Draft,
      body: DataSchema,
      refuses: [404, 422],
      answer: { status: 200, summary: 'its parts', schema: Rendered },
      run: ({ params, query, body }) =>
        answered(() => {
          const { content } = version(params.id, query.draft);
          return results(preview(content, (body.substitution_data ?? {}) as Fields));
        }),
    }),
    route({
      method: 'POST',
      path: '/api/v1/utils/content-previewer',
      summary: 'content filled in that is not stored',
      tag: TAG,
      access: PREVIEW,
      mostBytes: MOST_BYTES,
      body: Type.Object({ content: ContentSchema, ...DataSchema.properties }),
      refuses: [422],
      answer: { status: 200, summary: 'its parts', schema: Rendered },
      run: ({ body }) =>
        answered(() => results(preview(checked(body.content as Content), (body.substitution_data ?? {}) as Fields))),
    }),
  ];
}

/** Without `draft` the version that was edited later. */
function whichOf({ draft, published }: TemplateEntry, wish: boolean | undefined): Which {
  if (wish !== undefined) return wish ? 'draft' : 'published';
  if (draft === undefined) return 'published';
  return published === undefined || draft.version > published.version ? 'draft' : 'published';
}

function shortForm(entry: TemplateEntry) {
  const { id, name, description, draft, published } = entry;
  const last = entry[whichOf(entry, undefined)];
  return {
    id,
    name,
    description,
    published: published !== undefined,
    has_draft: draft !== undefined,
    has_published: published !== undefined,
    last_update_time: last?.edited,
  };
}

/** An id of a name, as the hosted service makes them. */
function idFrom(name: string | undefined): string {
  if (name === undefined || name === '') throw new Trouble('1400', 'id or name is required');
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9_.]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 64);
  if (id === '') throw new Trouble('1300', 'no id can be made of this name: give one');
  return id;
}

class MissingTemplate extends Trouble {
  constructor(id: string) {
    super('1600', `there is no template ${id.slice(0, 64)}`);
  }
}
