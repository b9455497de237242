import { CODES, type Code } from './codes.ts';

/** One entry of the error envelope. `part` and `line` are those of a template. */
export interface ErrorEntry {
  readonly message: string;
  readonly code: string;
  readonly description: string;
  readonly part?: string;
  readonly line?: number;
}

export type HeaderFields = Readonly<Record<string, string>>;

/** A request that is not served: `{"errors":[…]}`. */
export interface Refusal {
  readonly kind: 'refusal';
  readonly status: number;
  readonly errors: readonly ErrorEntry[];
  readonly headers: HeaderFields;
}

/** What a route has to say; `T` is the body that its schema describes. */
export type Answer<T = unknown> =
  | { readonly kind: 'json'; readonly status: number; readonly body: T; readonly headers?: HeaderFields }
  | {
      readonly kind: 'text';
      readonly status: number;
      readonly type: string;
      readonly text: string;
      readonly headers?: HeaderFields;
    }
  /** Long: sent as it is made, chunked where the client can read that. Others get their turn between two pieces. */
  | {
      readonly kind: 'pieces';
      readonly status: number;
      readonly type: string;
      readonly pieces: Iterable<string> | AsyncIterable<string>;
      readonly headers?: HeaderFields;
    }
  | { readonly kind: 'empty'; readonly status: 204; readonly headers?: HeaderFields }
  | Refusal;

export const json = <const T>(body: T, status = 200): Answer<T> => ({ kind: 'json', status, body });

/** The envelope of everything under /api/v1 (spec/http-api 3). */
export const results = <const T>(value: T): Answer<{ readonly results: T }> => json({ results: value });

export const empty = (): Answer<never> => ({ kind: 'empty', status: 204 });

export interface RefusalDetails {
  /** Another status than the code usually goes with. */
  readonly status?: number;
  /** Other words than the code usually goes with. */
  readonly message?: string;
  readonly headers?: HeaderFields;
  readonly part?: string;
  readonly line?: number;
}

/** @param description what is wrong with this request, for people: it must not name secrets, paths or causes on our side */
export function refusal(code: Code, description: string, details: RefusalDetails = {}): Refusal {
  const usual = CODES[code];
  const { status = usual.status, message = usual.message, headers = {}, part, line } = details;
  const entry: ErrorEntry = {
    message,
    code,
    description,
    ...(part === undefined ? {} : { part }),
    ...(line === undefined ? {} : { line }),
  };
  return { kind: 'refusal', status, errors: [entry], headers };
}

/** Several things are wrong at once; the first decides on the status. */
export function refusals(first: Refusal, ...others: readonly Refusal[]): Refusal {
  return { ...first, errors: [first, ...others].flatMap((each) => each.errors) };
}

export const errorEnvelope = ({ errors }: Refusal): string => JSON.stringify({ errors });

/** Carries a refusal through code that only knows exceptions: Fastify's parsers and hooks. */
export class RefusedRequest extends Error {
  readonly refusal: Refusal;
  constructor(refused: Refusal) {
    super(refused.errors[0]?.description ?? 'refused');
    this.refusal = refused;
  }
}
