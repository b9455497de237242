import type { Millis } from '../base/index.ts';
import { hasControls } from '../compose/index.ts';
import type { Generation } from '../config/index.ts';
import type { Fields } from '../templates/index.ts';
import { startTimeMaxScheduleInterval } from './options.ts';
import type { Content, Options, Order, Recipient, Request } from './order.ts';
import type { RecipientLists } from './recipient-lists.ts';
import { limited, MOST_METADATA, MOST_SUBSTITUTION, pathOf, readRecipient } from './recipients.ts';
import { sandboxOf } from './sandbox.ts';
import { startTimeOf } from './schedule.ts';
import type { StoredTemplates } from './stored-templates.ts';
import { Trouble } from './trouble.ts';

export interface Accepted {
  readonly order: Order;
  readonly recipients: readonly Recipient[];
  readonly rejected: number;
  /** Why, of the first of them. */
  readonly errors: readonly Trouble[];
}

export interface Wish {
  readonly id: string;
  /** Most errors of recipients that are told. */
  readonly mostErrors: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly generation: Generation;
  readonly stored: StoredTemplates;
  readonly lists: Pick<RecipientLists, 'find' | 'recipients'>;
  readonly turn: () => Promise<void>;
}

const LONGEST_CAMPAIGN = 64;
const LONGEST_DESCRIPTION = 1024;
/** Recipients that are looked at in one go. */
const PER_TURN = 1000;
/** Of one transmission: twice what the hosted service's largest lists have. */
export const MOST_RECIPIENTS = 1_000_000;

/** Everything about a request that can be judged before a message is made. @throws Trouble */
export async function accept(request: Request, wish: Wish): Promise<Accepted> {
  const {
    recipients: given,
    content,
    override = {},
    metadata = {},
    substitution_data: substitutionData = {},
  } = request;
  const { pages, listId } = sourceOf(given, wish.lists);
  const campaignId = request.campaign_id ?? '';
  if (Buffer.byteLength(campaignId) > LONGEST_CAMPAIGN)
    throw new Trouble('1300', `campaign_id has more than ${LONGEST_CAMPAIGN} bytes`);
  if (Buffer.byteLength(request.description ?? '') > LONGEST_DESCRIPTION)
    throw new Trouble('1300', `description has more than ${LONGEST_DESCRIPTION} bytes`);
  for (const [name, text] of Object.entries({ campaign_id: campaignId, list_id: override.list_id ?? '' }))
    if (hasControls(text)) throw new Trouble('1300', `${name} has line ends or other controls`);
  limited(metadata, 'metadata', MOST_METADATA);
  limited(substitutionData as Fields, 'substitution_data', MOST_SUBSTITUTION);
  const { content: wanted, template, options } = resolved(content, request.options ?? {}, wish.stored);
  const startTime = timeOf(options.start_time, wish);
  available(options);
  const pool = options.ip_pool === undefined ? [] : bindingsOf(options.ip_pool, wish.generation);
  const order: Order = {
    id: wish.id,
    content: wanted,
    template,
    returnPath: pathOf(request.return_path, 'the transmission'),
    campaignId,
    metadata,
    substitutionData,
    override,
    options,
    startTime,
    listId,
    description: request.description,
    bindings: options.sandbox === true ? [sandboxOf(wish.generation)] : pool,
  };
  return { order, ...(await readAll(pages, listId === undefined, wish)) };
}

type Pages = Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>;

/** The recipients of the request itself, or those of the list that it names. @throws Trouble */
function sourceOf(
  given: Request['recipients'],
  lists: Wish['lists'],
): { readonly pages: Pages; readonly listId: string | undefined } {
  if (!isArray(given)) {
    const list = lists.find(given.list_id);
    if (list === undefined) throw new Trouble('1603', `there is no recipient list ${given.list_id.slice(0, 64)}`);
    return { pages: lists.recipients(list), listId: list.id };
  }
  if (given.length === 0) throw new Trouble('5002', 'recipients is empty');
  if (given.length > MOST_RECIPIENTS) throw new Trouble('1300', `there are more than ${MOST_RECIPIENTS} recipients`);
  return { pages: [given], listId: undefined };
}

/** @param own whether options of a recipient count: those of a list have none (spec/http-api 4.1) */
async function readAll(pages: Pages, own: boolean, { mostErrors, turn }: Wish): Promise<Omit<Accepted, 'order'>> {
  const recipients: Recipient[] = [];
  const errors: Trouble[] = [];
  let rejected = 0;
  for await (const page of pages)
    for (const [index, each] of page.entries()) {
      try {
        const recipient = readRecipient(each);
        recipients.push(own ? recipient : { ...recipient, options: {} });
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        rejected++;
        if (errors.length < Math.max(mostErrors, 1)) errors.push(error);
      }
      if (index % PER_TURN === PER_TURN - 1) await turn();
    }
  return { recipients, rejected, errors };
}

const isArray = (given: Request['recipients']): given is readonly unknown[] => Array.isArray(given);

/** Exactly one of inline parts, email_rfc822 and template_id; headers may stand beside a template. @throws Trouble */
function resolved(
  content: Content,
  options: Options,
  stored: StoredTemplates,
): { content: Content; template: Order['template']; options: Options } {
  const { template_id: id, use_draft_template: useDraft, ab_test_id: test, ...parts } = content;
  if (test !== undefined) throw new Trouble('1603', `there is no A/B test ${test.slice(0, 64)}`);
  const given = [
    id === undefined ? undefined : 'template_id',
    parts.email_rfc822 === undefined ? undefined : 'email_rfc822',
    ['from', 'subject', 'text', 'html', 'amp_html'].some((name) => Object.hasOwn(parts, name))
      ? 'inline parts'
      : undefined,
  ].filter((each) => each !== undefined);
  if (given.length === 0) throw new Trouble('1400', 'content needs inline parts, email_rfc822 or template_id');
  if (given.length > 1) throw new Trouble('1301', `content has ${given.join(' and ')}, which exclude each other`);
  if (id === undefined) return { content: parts, template: undefined, options };
  const entry = stored.find(id);
  if (entry === undefined) throw new Trouble('1603', `there is no template ${id.slice(0, 64)}`);
  const { content: own, version } = stored.content(entry, useDraft === true ? 'draft' : 'published');
  const { perform_substitutions: _, ...rest } = options;
  return {
    content: {
      ...own,
      ...(own.email_rfc822 === undefined ? { headers: { ...own.headers, ...parts.headers } } : {}),
      ...(parts.attachments === undefined ? {} : { attachments: parts.attachments }),
      ...(parts.inline_images === undefined ? {} : { inline_images: parts.inline_images }),
    },
    template: { id, version },
    options: { ...entry.options, ...rest },
  };
}

/** What is understood and cannot be done is refused, and never left out in silence. */
function available({ inline_css: inlineCss, dkim_key: key }: Options): void {
  if (inlineCss === true)
    throw new Trouble(
      '1300',
      'options.inline_css: this server does not inline styles; send content that has them inline',
    );
  if (key !== undefined)
    throw new Trouble('1300', 'options.dkim_key: this server does not sign with DKIM; leave it out');
}

/** @returns undefined for now. @throws Trouble */
function timeOf(start: string | undefined, { now, generation }: Wish): Millis | undefined {
  if (start === undefined || start === 'now') return undefined;
  const at = instantOf(start);
  if (at === undefined)
    throw new Trouble('1300', 'options.start_time is no time with a zone, as 2030-01-31T08:00:00+01:00');
  if (at <= now) return undefined;
  const horizon = generation.stanza('msg_gen', '').get(startTimeMaxScheduleInterval);
  if (at > now + horizon * 1000)
    throw new Trouble('1300', `options.start_time lies more than ${horizon} seconds ahead`);
  return startTimeOf(at);
}

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** @returns milliseconds since the epoch; undefined for what no calendar has */
export function instantOf(text: string): number | undefined {
  const found = INSTANT.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((each) => Number(each ?? 0));
  const leap = month === 2 && ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0) ? 1 : 0;
  if (day < 1 || day > (MONTH_DAYS[month - 1] ?? 0) + leap || hour > 23 || minute > 59 || second > 60) return undefined;
  const zone = found[7] ?? 'Z';
  const digits = zone.replace(/\D/g, '');
  const offset =
    zone === 'Z' ? 0 : (zone.startsWith('-') ? -1 : 1) * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2)));
  // Days since the epoch of the Gregorian calendar, years beginning in March.
  const y = month <= 2 ? year - 1 : year;
  const days =
    365 * y +
    Math.floor(y / 4) -
    Math.floor(y / 100) +
    Math.floor(y / 400) +
    Math.floor((153 * ((month + 9) % 12) + 2) / 5) +
    day -
    1 -
    719_468;
  return (days * 86_400 + hour * 3600 + (minute - offset) * 60 + second) * 1000;
}

/** The pool is a group of bindings, or a binding; case does not matter. @throws Trouble 1603 */
function bindingsOf(pool: string, generation: Generation): readonly string[] {
  const wanted = pool.toLowerCase();
  const all = generation.bindings();
  const members = all.filter(({ group }) => group.toLowerCase() === wanted);
  const found = members.length > 0 ? members : all.filter(({ name }) => name.toLowerCase() === wanted).slice(0, 1);
  if (found.length === 0)
    throw new Trouble('1603', `there is no group of bindings and no binding ${pool.slice(0, 64)}`);
  return found.map(({ name }) => name);
}
