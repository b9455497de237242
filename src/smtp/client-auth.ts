import { type Reply, reply, replyText } from './reply.ts';

/** How a client logs in (RFC 4954). What is sent is in base64 already. */
export interface ClientAuth {
  readonly mechanism: string;
  /** Goes with the command; undefined: the server speaks first. */
  readonly initial: string | undefined;
  /** What is answered to its challenges, one after the other. */
  readonly responses: readonly string[];
  /** In clear too: passwords can be read then. */
  readonly insecure: boolean;
  /** Why it cannot be tried at all. */
  readonly unusable?: Reply;
}

/** Texts of ours, modelled on those for STARTTLS. */
export const clientAuthReplies = {
  notOffered: reply(451, '4.7.6', '[internal] AUTH required but not advertised'),
  inClear: reply(451, '4.7.5', '[internal] AUTH required but connection not encrypted'),
  incomplete: reply(451, '4.7.0', '[internal] AUTH required but user or password missing'),
} as const;

/** A login that the peer refuses is mended on one of both sides: the mail waits, whatever its code. */
export const authFailed = (said: Reply): Reply =>
  said.code === 421 ? said : reply(451, '4.7.0', `[internal] AUTH failed: ${replyText(said)}`);

/** @param keyword  what stands behind AUTH in the reply to EHLO; undefined when it is not there */
export const offersMechanism = (keyword: string | undefined, mechanism: string): boolean =>
  keyword
    ?.toUpperCase()
    .split(/[ \t]+/)
    .includes(mechanism) === true;
