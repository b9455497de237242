import type { Millis } from '../base/index.ts';
import type { Fields } from '../templates/index.ts';
import type { Acceptance } from './acceptances.ts';

/** Name and address, the name alone missing where an address is all there is. */
export type Sender = string | { readonly name?: string | null; readonly email: string };

export interface GivenFile {
  readonly name: string;
  readonly type?: string | null;
  /** Base64 without line breaks, or how JSON writes Node's buffers. */
  readonly data: string | { readonly type: 'Buffer'; readonly data: readonly number[] };
}

/** What a message is made of, as it was sent. */
export interface Content {
  readonly from?: Sender;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly amp_html?: string;
  readonly reply_to?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly attachments?: readonly GivenFile[];
  readonly inline_images?: readonly GivenFile[];
  readonly email_rfc822?: string;
  readonly template_id?: string;
  readonly use_draft_template?: boolean;
  readonly ab_test_id?: string;
}

export interface Options {
  readonly start_time?: string;
  readonly open_tracking?: boolean;
  readonly click_tracking?: boolean;
  readonly initial_open?: boolean;
  readonly transactional?: boolean;
  readonly skip_suppression?: boolean;
  readonly sandbox?: boolean;
  readonly ip_pool?: string;
  readonly inline_css?: boolean;
  readonly perform_substitutions?: boolean;
  readonly dkim_key?: string;
}

/** A transmission as it was sent, its types checked and nothing else. */
export interface Request {
  readonly recipients: readonly unknown[] | { readonly list_id: string };
  readonly content: Content;
  readonly return_path?: string;
  readonly campaign_id?: string;
  readonly description?: string;
  readonly metadata?: Fields;
  readonly substitution_data?: Fields;
  readonly override?: { readonly from?: Sender; readonly reply_to?: string; readonly list_id?: string };
  readonly options?: Options;
}

/** All that its messages have in common. Kept in the spool as JSON until the last of them is made. */
export interface Order {
  /** Decimal number. */
  readonly id: string;
  /** Without `template_id`: what the template said when the transmission was taken. */
  readonly content: Content;
  readonly template: { readonly id: string; readonly version: string } | undefined;
  readonly returnPath: string | undefined;
  readonly campaignId: string;
  readonly metadata: Fields;
  readonly substitutionData: Fields;
  readonly override: NonNullable<Request['override']>;
  readonly options: Options;
  /** They take turns; none: what policy says, or default. */
  readonly bindings: readonly string[];
  /** Milliseconds since the epoch, whole seconds: before it no message goes out. */
  readonly startTime?: Millis | undefined;
  readonly description?: string | undefined;
  /** Of the stored list that its recipients come from. */
  readonly listId?: string | undefined;
  /** Of a request that may come again. */
  readonly acceptance?: Acceptance | undefined;
}

/** Whom one message goes to. */
export interface Recipient {
  readonly path: string;
  /** Lower case. */
  readonly key: string;
  readonly name: string | undefined;
  readonly headerTo: string | undefined;
  readonly returnPath: string | undefined;
  readonly tags: readonly string[];
  readonly metadata: Fields;
  readonly substitutionData: Fields;
  readonly options: Pick<Options, 'open_tracking' | 'click_tracking' | 'initial_open'>;
}
