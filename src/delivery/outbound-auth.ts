import type { View } from '../config/index.ts';
import { type ClientAuth, clientAuthReplies } from '../smtp/index.ts';
import {
  outboundSmtpAuthInsecure,
  outboundSmtpAuthPass,
  outboundSmtpAuthType,
  outboundSmtpAuthUser,
} from './options.ts';

/** The login that a sending scope asks for; undefined: none. */
export function outboundAuth(view: View): ClientAuth | undefined {
  const mechanism = view.get(outboundSmtpAuthType);
  if (mechanism === undefined) return undefined;
  const [user, pass] = [view.get(outboundSmtpAuthUser), view.get(outboundSmtpAuthPass)];
  const insecure = view.get(outboundSmtpAuthInsecure);
  if (user === undefined || pass === undefined)
    return { mechanism, initial: undefined, responses: [], insecure, unusable: clientAuthReplies.incomplete };
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism, initial: base64(`\0${user}\0${pass}`), responses: [], insecure };
    case 'LOGIN':
      return { mechanism, initial: undefined, responses: [base64(user), base64(pass)], insecure };
    case 'XOAUTH2':
      // A refusal comes as a challenge, which says why and wants an empty answer before the 5xx.
      return { mechanism, initial: base64(`user=${user}\x01auth=Bearer ${pass}\x01\x01`), responses: [''], insecure };
  }
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
