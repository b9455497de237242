import { boolean, duration, enumeration, mode, option, ownOption, path } from '../../config/index.ts';
import type { EscapeMode } from '../log-text.ts';

const scope = 'bounce_logger';

export const bouncelog = option('bouncelog', path, { scope });
export const bouncelogMode = option('bouncelog_mode', mode, { scope });
export const heartbeatInterval = option('heartbeat', duration, { scope });
export const logInbandBounces = option('log_inband_bounces', boolean, { scope });
export const logOutofbandBounces = option('log_outofband_bounces', boolean, { scope });
/** The manual's page of this module says on, its table of options off: the page describes the log, so it wins. */
export const logTransientFailures = option('log_transient_failures', boolean, { scope, initial: true });

export const escapeMode = ownOption<EscapeMode>('escape', enumeration('control', 'full'), {
  scopes: [scope],
  initial: 'control',
  summary: 'what is escaped in the bouncelog: control characters, or backslashes and @ too',
});

export const bounceLoggerOptions = [
  bouncelog,
  bouncelogMode,
  heartbeatInterval,
  logInbandBounces,
  logOutofbandBounces,
  logTransientFailures,
  escapeMode,
];
