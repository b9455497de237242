import { type Notify, readNotify } from './dsn-parameters.ts';
import type { Parameters } from './parameters.ts';

/** What is asked of delivery status notifications with RCPT. */
export interface RecipientAsks {
  /** Empty for NEVER. */
  readonly notify?: Notify;
  readonly orcpt?: string;
}

/** @param parameters  of a RCPT, judged already @returns undefined when nothing is asked */
export function recipientAsks(parameters: Parameters): RecipientAsks | undefined {
  if (parameters.length === 0) return undefined;
  const notify = given(parameters, 'NOTIFY');
  const orcpt = given(parameters, 'ORCPT');
  const words = notify === undefined ? undefined : readNotify(notify);
  return {
    ...(words === undefined ? {} : { notify: words }),
    ...(orcpt === undefined ? {} : { orcpt }),
  };
}

/** What MAIL asks of those who come after us. */
export interface SenderAsks {
  readonly body?: 'BINARYMIME';
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
}

/** @param parameters  of a MAIL, judged already @returns undefined when nothing is asked that anybody else must know */
export function senderAsks(parameters: Parameters): SenderAsks | undefined {
  const body = given(parameters, 'BODY')?.toUpperCase();
  const ret = given(parameters, 'RET')?.toUpperCase();
  const envid = given(parameters, 'ENVID');
  const asks = {
    // 8BITMIME is not remembered: whether there are such bytes is seen when they come.
    ...(body === 'BINARYMIME' ? { body } : {}),
    ...(ret === 'FULL' || ret === 'HDRS' ? { ret } : {}),
    ...(envid === undefined ? {} : { envid }),
  } satisfies SenderAsks;
  return Object.keys(asks).length === 0 ? undefined : asks;
}

export const hasParameter = (parameters: Parameters, key: string): boolean =>
  parameters.some((each) => each.key === key);

const given = (parameters: Parameters, key: string): string | undefined =>
  parameters.find((each) => each.key === key)?.value;
