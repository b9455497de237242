import { type Domain, inMillis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import { type PathRules, type ServerSettings, serverDefaults, type TrustedCommand } from '../smtp/index.ts';
import { starttlsInjectionPolicy, tlsVerifiedPeerCanRelay } from '../tls/index.ts';
import { type LineLimit, lineLimit } from './content/long-lines.ts';
import { type AuthOffer, authKeywords, authOffers } from './login/auth-offers.ts';
import * as options from './options.ts';
import { xclientAttributes } from './xclient.ts';

/** A View made ready for sessions: one for all sessions that share the View. */
export interface Settings {
  readonly view: View;
  readonly server: ServerSettings;
  /** Keywords behind the first line of the EHLO reply, by whether TLS is on; STARTTLS comes behind them. */
  readonly keywords: { readonly inClear: readonly string[]; readonly encrypted: readonly string[] };
  /** Mechanisms of AUTH that are served, in the order in which they are listed. */
  readonly auth: readonly AuthOffer[];
  readonly verifiedPeerCanRelay: boolean;
  /** The banner's text without code, when it is not made anew for each session. */
  readonly staticBanner: string | undefined;
  readonly receivedHost: string;
  readonly traceHeaders: boolean;
  readonly dateHeader: 'ifneeded' | 'pedantic' | 'ignore';
  readonly messageIdHeader: 'ifneeded' | 'ignore';
  readonly missingHeaders: 'reject' | 'allow';
  readonly lineLimit: LineLimit | undefined;
  readonly loneInHeaders: 'pedantic' | 'fix';
  readonly loneInBody: 'ignore' | 'pedantic' | 'fix';
  readonly senderDomain: Domain | undefined;
  readonly recipientDomain: Domain | undefined;
  readonly hostName: string;
}

/** Whether STARTTLS is listed: with a certificate it is offered. */
export const offersStartTls = (view: View): boolean => view.get(options.smtpExtensions)?.includes('STARTTLS') ?? false;

/** @param hostName  the machine's own name, for when no option gives one */
export function readSettings(view: View, hostName: string): Settings {
  const ours = view.get(options.hostname) ?? hostName;
  const extensions = view.get(options.smtpExtensions) ?? [];
  const maxMessageSize = view.get(options.maxMessageSize);
  const enhancedCodes = extensions.includes('ENHANCEDSTATUSCODES');
  const pedantic = view.get(options.pedanticAddressRules);
  const senderDomain = view.get(options.domainForUnqualifiedSenderAddress);
  const recipientDomain = view.get(options.domainForUnqualifiedRecipientAddresses);
  const trusts = TRUSTED_COMMANDS.filter((command) => extensions.includes(command.toUpperCase()));
  const auth = authOffers(view, extensions);
  const paths = (unqualified: boolean): PathRules => ({
    blanksAtBrackets: view.get(options.allowTrailingWhitespaceInCommands),
    blanksAtEnd: view.get(options.allowWhitespaceInEnvelope) || !pedantic,
    loose: !pedantic,
    unqualified,
    utf8: extensions.includes('SMTPUTF8'),
  });
  const keywords = [
    'PIPELINING',
    ...trusts.map((command) => TRUSTED[command]),
    '8BITMIME',
    ...(enhancedCodes ? ['ENHANCEDSTATUSCODES'] : []),
    // RFC 1870 §4: no number means that there is no limit we could name.
    ...(maxMessageSize > 0 ? [`SIZE ${maxMessageSize}`] : extensions.includes('SIZE') ? ['SIZE'] : []),
    ...OPT_IN.filter((keyword) => extensions.includes(keyword)),
    ...(extensions.includes('LIMITS') ? limitsOf(view) : []),
  ];
  const logins = authKeywords(auth);
  return {
    view,
    server: {
      hostName: view.get(options.bannerHostname) ?? ours,
      enhancedCodes,
      requireEhlo: view.get(options.requireEhlo),
      maxMessageSize,
      mostBadCommands: view.get(options.maxBadCommands),
      offers: {
        smtpUtf8: extensions.includes('SMTPUTF8'),
        dsn: extensions.includes('DSN'),
        chunking: extensions.includes('CHUNKING'),
        binaryMime: extensions.includes('BINARYMIME'),
        auth: auth.length > 0,
      },
      idle: inMillis(view.get(options.idleTime)),
      startTls: offersStartTls(view),
      auth: auth.length > 0,
      handshake: serverDefaults.handshake,
      startTlsInjection: view.get(starttlsInjectionPolicy),
      senderPaths: paths(senderDomain !== undefined),
      recipientPaths: paths(recipientDomain !== undefined),
      trusts,
    },
    keywords: { inClear: [...keywords, ...logins.inClear], encrypted: [...keywords, ...logins.encrypted] },
    auth,
    verifiedPeerCanRelay: view.get(tlsVerifiedPeerCanRelay),
    staticBanner: view.get(options.staticBanner),
    receivedHost: view.get(options.receivedHostname) ?? ours,
    traceHeaders: view.get(options.traceHeaders),
    dateHeader: view.get(options.dateHeader),
    messageIdHeader: view.get(options.messageIdHeader),
    missingHeaders: view.get(options.missingHeaders),
    lineLimit: lineLimit(view.get(options.maxLineLength), view.get(options.maxLineLengthPolicy)),
    loneInHeaders: view.get(options.loneLfInHeaders),
    loneInBody: view.get(options.loneLfInBody),
    senderDomain,
    recipientDomain,
    hostName: ours,
  };
}

/** What EHLO says of each. */
const TRUSTED: Readonly<Record<TrustedCommand, string>> = {
  xclient: `XCLIENT ${xclientAttributes.join(' ')}`,
  xremoteip: 'XREMOTEIP',
  xsetcontext: 'XSETCONTEXT',
  xdumpcontext: 'XDUMPCONTEXT',
};
const TRUSTED_COMMANDS = Object.keys(TRUSTED) as readonly TrustedCommand[];

/** Settings for the address that a client is taken for, with the commands that belong to its connection. */
export function withTrustOf(connection: Settings, settings: Settings): Settings {
  const { trusts } = connection.server;
  const trusting = (keywords: readonly string[]): readonly string[] =>
    keywords
      .filter((keyword) => !Object.values(TRUSTED).includes(keyword))
      .toSpliced(1, 0, ...trusts.map((command) => TRUSTED[command]));
  const { inClear, encrypted } = settings.keywords;
  const keywords = { inClear: trusting(inClear), encrypted: trusting(encrypted) };
  return { ...settings, server: { ...settings.server, trusts }, keywords };
}

/** Offered as they are, when they are listed. */
const OPT_IN = ['SMTPUTF8', 'CHUNKING', 'BINARYMIME', 'DSN'] as const;

/** RFC 9422: what we would refuse anyway. Without any limit there is nothing to be said. */
function limitsOf(view: View): readonly string[] {
  const recipients = view.get(options.maxRecipientsPerMessage);
  const mails = view.get(options.maxReceptionsPerConnection);
  const limits = [...(recipients > 0 ? [`RCPTMAX=${recipients}`] : []), ...(mails > 0 ? [`MAILMAX=${mails}`] : [])];
  return limits.length === 0 ? [] : [`LIMITS ${limits.join(' ')}`];
}
