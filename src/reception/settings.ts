import { type Domain, inMillis } from '../base/index.ts';
import type { View } from '../config/index.ts';
import type { PathRules, ServerSettings } from '../smtp/index.ts';
import * as options from './options.ts';

/** A View made ready for sessions: one for all sessions that share the View. */
export interface Settings {
  readonly view: View;
  readonly server: ServerSettings;
  /** Keywords behind the first line of the EHLO reply. */
  readonly keywords: readonly string[];
  /** The banner's text without code, when it is not made anew for each session. */
  readonly staticBanner: string | undefined;
  readonly receivedHost: string;
  readonly traceHeaders: boolean;
  readonly loneInHeaders: 'pedantic' | 'fix';
  readonly loneInBody: 'ignore' | 'pedantic' | 'fix';
  readonly senderDomain: Domain | undefined;
  readonly recipientDomain: Domain | undefined;
  readonly hostName: string;
}

/** @param hostName  the machine's own name, for when no option gives one */
export function readSettings(view: View, hostName: string): Settings {
  const ours = view.get(options.hostname) ?? hostName;
  const extensions = view.get(options.smtpExtensions) ?? [];
  const maxMessageSize = view.get(options.maxMessageSize);
  const enhancedCodes = extensions.includes('ENHANCEDSTATUSCODES');
  const pedantic = view.get(options.pedanticAddressRules);
  const senderDomain = view.get(options.domainForUnqualifiedSenderAddress);
  const recipientDomain = view.get(options.domainForUnqualifiedRecipientAddresses);
  const paths = (unqualified: boolean): PathRules => ({
    blanksAtBrackets: view.get(options.allowTrailingWhitespaceInCommands),
    blanksAtEnd: view.get(options.allowWhitespaceInEnvelope) || !pedantic,
    loose: !pedantic,
    unqualified,
  });
  return {
    view,
    server: {
      hostName: view.get(options.bannerHostname) ?? ours,
      enhancedCodes,
      requireEhlo: view.get(options.requireEhlo),
      maxMessageSize,
      mostBadCommands: view.get(options.maxBadCommands),
      idle: inMillis(view.get(options.idleTime)),
      senderPaths: paths(senderDomain !== undefined),
      recipientPaths: paths(recipientDomain !== undefined),
    },
    keywords: [
      'PIPELINING',
      '8BITMIME',
      ...(enhancedCodes ? ['ENHANCEDSTATUSCODES'] : []),
      // RFC 1870 §4: no number means that there is no limit we could name.
      ...(maxMessageSize > 0 ? [`SIZE ${maxMessageSize}`] : extensions.includes('SIZE') ? ['SIZE'] : []),
    ],
    staticBanner: view.get(options.staticBanner),
    receivedHost: view.get(options.receivedHostname) ?? ours,
    traceHeaders: view.get(options.traceHeaders),
    loneInHeaders: view.get(options.loneLfInHeaders),
    loneInBody: view.get(options.loneLfInBody),
    senderDomain,
    recipientDomain,
    hostName: ours,
  };
}
