import { array, boolean, duration, enumeration, mode, option, optional, ownOption, path } from '../../config/index.ts';
import type { EscapeMode } from '../log-text.ts';

const scope = 'ec_logger';

export const mainlog = option('mainlog', path, { scope });
export const mainlogMode = option('mainlog_mode', mode, { scope });
export const rejectlog = option('rejectlog', path, { scope });
export const rejectlogMode = option('rejectlog_mode', mode, { scope });
export const paniclog = option('paniclog', path, { scope });
export const paniclogMode = option('paniclog_mode', mode, { scope });
export const acctlog = option('acctlog', path, { scope });
/** Momentum's spelling; the regular one below wins when both are set. */
export const acctlogLogMode = option('acctlog_log_mode', mode, { scope });
export const acctlogMode = option('acctlog_mode', optional(mode), { scope, initial: undefined });
export const heartbeatInterval = option('heartbeat', duration, { scope });
export const logReceptions = option('log_receptions', boolean, { scope });
export const logDeliveries = option('log_deliveries', boolean, { scope });
export const logTransientFailures = option('log_transient_failures', boolean, { scope });
export const logPermanentFailures = option('log_permanent_failures', boolean, { scope });
export const logRejections = option('log_rejections', boolean, { scope });
export const logErrors = option('log_errors', boolean, { scope });

export const escapeMode = ownOption<EscapeMode>('escape', enumeration('control', 'full'), {
  scopes: [scope],
  initial: 'control',
  summary: 'what is escaped in the mainlog: control characters, or backslashes and @ too',
});

export const rejectlogRedact = ownOption('rejectlog_redact', array, {
  scopes: [scope],
  initial: [
    'password',
    'passwd',
    'auth_pass',
    'auth_password',
    'outbound_smtp_auth_pass',
    'token',
    'auth_token',
    'access_token',
    'secret',
  ],
  summary: 'context keys whose values are written *** in the rejectlog',
});

export const ecLoggerOptions = [
  mainlog,
  mainlogMode,
  rejectlog,
  rejectlogMode,
  paniclog,
  paniclogMode,
  acctlog,
  acctlogLogMode,
  acctlogMode,
  heartbeatInterval,
  logReceptions,
  logDeliveries,
  logTransientFailures,
  logPermanentFailures,
  logRejections,
  logErrors,
  escapeMode,
  rejectlogRedact,
];
