import { stages } from '../smtp/index.ts';

/** What a session is doing, for consoles. */
export const stageWords: Readonly<Record<number, string>> = {
  [stages.idle]: 'idle',
  [stages.during.mail]: 'MAIL FROM',
  [stages.during.rcpt]: 'RCPT TO',
  [stages.during.data]: 'DATA',
  [stages.sendingBody]: 'sending BODY',
  [stages.confirmation]: 'reading confirmation',
  [stages.during.ehlo]: 'EHLO',
  [stages.during.banner]: 'reading BANNER',
  [stages.during.rset]: 'RSET',
  [stages.during.starttls]: 'STARTTLS',
  [stages.handshake]: 'handshaking TLS',
};
