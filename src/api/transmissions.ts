import { Type } from 'typebox';
import {
  type Acceptance,
  accept,
  type Progress,
  type Request,
  scheduledIntervalDelete,
  type Ticket,
  Trouble,
} from '../generation/index.ts';
import { type Answer, empty, type Principal, type Route, refusal, refusals, results, route } from '../http/index.ts';
import { KeyValueError } from '../world/index.ts';
import { TransmissionSchema } from './content-schema.ts';
import type { ApiHouse } from './house.ts';
import { Idempotency } from './idempotency.ts';
import { isoText } from './iso-text.ts';
import { partly } from './partly.ts';
import { transmissionIds } from './transmission-id.ts';
import { refused } from './trouble.ts';

const TAG = 'transmissions';
const MODIFY = { kind: 'key', grant: 'transmissions/modify' } as const;
const VIEW = { kind: 'key', grant: 'transmissions/view' } as const;
const Count = Type.Integer({ minimum: 0 });
/** The hosted ceiling for a transmission (spec/http-api 2). */
const MOST_BYTES = 300 * 1024 * 1024;
const MOST_TOLD = 10_000;

const ErrorEntry = Type.Object({
  message: Type.String(),
  code: Type.String(),
  description: Type.Optional(Type.String()),
});
const Params = Type.Object({ id: Type.String() });

/** Mail by HTTP (spec/http-api 4). */
export function transmissionRoutes(house: ApiHouse): readonly Route[] {
  let ids: (() => string) | undefined;
  let keys: Idempotency | undefined;
  return [
    route({
      method: 'POST',
      path: '/api/v1/transmissions',
      summary: 'sends a message to each of the recipients',
      tag: TAG,
      access: MODIFY,
      needsRoom: true,
      mostBytes: MOST_BYTES,
      query: Type.Object({ num_rcpt_errors: Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_TOLD })) }),
      body: TransmissionSchema,
      refuses: [400, 409, 422, 503],
      answer: {
        status: 200,
        summary: 'it is kept, and its messages are or will be made',
        schema: Type.Object({
          results: Type.Object({
            id: Type.String(),
            total_accepted_recipients: Count,
            total_rejected_recipients: Count,
            rcpt_to_errors: Type.Optional(Type.Array(ErrorEntry)),
          }),
          errors: Type.Optional(Type.Array(ErrorEntry)),
        }),
      },
      run: async ({ body, query, principal, header }) => {
        ids ??= transmissionIds(house.clock, house.chance);
        keys ??= new Idempotency(house.acceptances);
        // The schema has looked at every field that is read.
        const request = body as unknown as Request;
        const wish = { id: ids(), mostErrors: query.num_rcpt_errors ?? 0 };
        const [known, key] = [keys, header('idempotency-key')];
        // What comes out is what `taken` or `summed` has made.
        return (await unlessBroken(house, () =>
          known.once(key, whoseKey(principal), body, (ticket) => taken(house, request, { ...wish, ticket }), summed),
        )) as Answer<never>;
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/transmissions',
      summary: 'transmissions that are being made, and the last that were',
      tag: TAG,
      access: VIEW,
      query: Type.Object({ campaign_id: Type.Optional(Type.String()), template_id: Type.Optional(Type.String()) }),
      answer: { status: 200, summary: 'short forms', schema: Type.Object({ results: Type.Array(Type.Unknown()) }) },
      run: ({ query }) => {
        const found: unknown[] = [];
        for (const each of house.transmissions.register.all()) {
          const { order } = each;
          if (query.campaign_id !== undefined && query.campaign_id !== order.campaignId) continue;
          if (query.template_id !== undefined && query.template_id !== templateOf(each)) continue;
          found.push({
            id: order.id,
            state: stateOf(each, house.clock.date()),
            campaign_id: order.campaignId,
            content: { template_id: templateOf(each) },
          });
        }
        return results(found);
      },
    }),
    route({
      method: 'GET',
      path: '/api/v1/transmissions/:id',
      summary: 'how far a transmission is',
      tag: TAG,
      access: VIEW,
      params: Params,
      refuses: [404],
      answer: {
        status: 200,
        summary: 'the transmission',
        schema: Type.Object({ results: Type.Object({ transmission: Type.Unknown() }) }),
      },
      run: ({ params }) => {
        const found = house.transmissions.find(params.id);
        return found === undefined
          ? unknown(params.id)
          : results({ transmission: longForm(found, house.clock.date()) });
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/transmissions/:id',
      summary: 'cancels a transmission that waits for its start_time',
      tag: TAG,
      access: MODIFY,
      params: Params,
      refuses: [404, 409, 503],
      answer: { status: 204, summary: 'it is cancelled: none of its messages goes out' },
      run: ({ params }) =>
        unlessBroken(house, () => {
          const found = house.transmissions.find(params.id);
          if (found === undefined) return unknown(params.id);
          house.transmissions.cancel(found, house.generation().stanza('msg_gen', '').get(scheduledIntervalDelete));
          return empty();
        }) as Promise<Answer<never>>,
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/transmissions',
      summary: 'cancels all transmissions of a campaign that wait for their start_time',
      tag: TAG,
      access: MODIFY,
      query: Type.Object({ campaign_id: Type.String({ minLength: 1 }) }),
      refuses: [400, 503],
      answer: { status: 204, summary: 'they are cancelled: none of their messages goes out' },
      run: ({ query }) =>
        unlessBroken(house, () => {
          const now = house.clock.date();
          for (const progress of [...house.transmissions.register.all()]) {
            const { campaignId, startTime = 0 } = progress.order;
            if (campaignId === query.campaign_id && startTime > now && progress.cancelled !== true)
              house.transmissions.cancel(progress, 0);
          }
          return empty();
        }) as Promise<Answer<never>>,
    }),
  ];
}

/** While nobody can look who is suppressed nothing is taken: mail that cannot be made would only wait. */
async function unlessBroken(house: ApiHouse, send: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return house.store.trouble === undefined ? await send() : refused(new Trouble('1502', NO_STORE));
  } catch (error) {
    return refused(error instanceof KeyValueError ? new Trouble('1502', NO_STORE) : error);
  }
}

interface Taking {
  readonly id: string;
  readonly mostErrors: number;
  readonly ticket: Ticket | undefined;
}

/** @throws what `refused` knows */
async function taken(house: ApiHouse, request: Request, { id, mostErrors, ticket }: Taking): Promise<Answer> {
  const { order, recipients, rejected, errors } = await accept(request, {
    id,
    mostErrors,
    now: house.clock.date(),
    generation: house.generation(),
    stored: house.templates,
    lists: house.lists,
    turn: house.turn,
  });
  if (recipients.length === 0) return noneLeft(errors);
  const reason = house.pressure.reason();
  if (reason !== undefined) throw new Trouble('1502', reason);
  const counts = { id, accepted: recipients.length, rejected };
  const acceptance = ticket === undefined ? undefined : { ...ticket, ...counts };
  await house.transmissions.send({ ...order, acceptance }, recipients);
  return summed(counts, errors.slice(0, mostErrors));
}

/** @param errors of single recipients; when a request comes again nobody knows them any more */
function summed(
  { id, accepted, rejected }: Pick<Acceptance, 'id' | 'accepted' | 'rejected'>,
  errors: readonly Trouble[] = [],
): Answer {
  const counts = { id, total_accepted_recipients: accepted, total_rejected_recipients: rejected };
  return partly(counts, errors, { message: 'transmission created, but with validation errors', code: '2000' });
}

const NO_STORE = 'the store of templates and suppressions cannot be used now; nothing was accepted';

function noneLeft(errors: readonly Trouble[]): Answer {
  const first = refused(new Trouble('5002', 'none of the recipients is valid'));
  return refusals(first, ...errors.map(refused));
}

const whoseKey = (principal: Principal): string => (principal.kind === 'key' ? principal.id : principal.kind);

const unknown = (id: string): Answer<never> => refusal('1600', `there is no transmission ${id.slice(0, 32)}`);

const templateOf = ({ order }: Progress): string => order.template?.id ?? 'inline';

/** Messages that are made and wait for their time are only submitted yet. */
function stateOf({ started, ended, cancelled, order }: Progress, now: number): string {
  if (cancelled === true) return 'Canceled';
  if (ended !== undefined) return (order.startTime ?? 0) > now ? 'submitted' : 'Success';
  return started === undefined ? 'submitted' : 'generating';
}

function longForm(progress: Progress, now: number): unknown {
  const { order, recipients, made, failed, started, ended } = progress;
  return {
    id: order.id,
    state: stateOf(progress, now),
    description: order.description,
    campaign_id: order.campaignId,
    content: { template_id: templateOf(progress) },
    num_rcpts: recipients,
    num_generated: made,
    num_failed_gen: failed,
    generation_start_time: started === undefined ? null : isoText(started),
    generation_end_time: ended === undefined ? null : isoText(ended),
    options: order.options,
    metadata: order.metadata,
    substitution_data: order.substitutionData,
  };
}
