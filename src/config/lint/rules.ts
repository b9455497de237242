import { authWithoutTls } from './auth-without-tls.ts';
import { controlPublic } from './control-public.ts';
import { disabledListener } from './disabled-listener.ts';
import { forceFsync } from './force-fsync.ts';
import { groupWithoutBindings } from './group-without-bindings.ts';
import { hiddenBinding } from './hidden-binding.ts';
import { hiddenListenValue } from './hidden-listen-value.ts';
import { hiddenPeer } from './hidden-peer.ts';
import { hiddenSendingValue } from './hidden-sending-value.ts';
import { httpPublic } from './http-public.ts';
import { logPathTwice } from './log-path-twice.ts';
import { mailerDaemonAddress } from './mailer-daemon-address.ts';
import { negativeLimit } from './negative-limit.ts';
import { nonFqdnHostname } from './non-fqdn-hostname.ts';
import { openRelay } from './open-relay.ts';
import { regexNeverDecides } from './regex-never-decides.ts';
import { retryBeyondExpiration } from './retry-beyond-expiration.ts';
import type { LintRule } from './rule.ts';
import { unanchoredRegex } from './unanchored-regex.ts';
import { unquotedValue } from './unquoted-value.ts';
import { valueSetTwice } from './value-set-twice.ts';
import { xCommandsPublic } from './x-commands-public.ts';

/** Every rule of `--pedantic`, in the order of docs/checking.md: what harms others first. */
export const lintRules: readonly LintRule[] = [
  openRelay,
  authWithoutTls,
  xCommandsPublic,
  controlPublic,
  httpPublic,
  forceFsync,
  unanchoredRegex,
  regexNeverDecides,
  hiddenPeer,
  hiddenListenValue,
  hiddenSendingValue,
  disabledListener,
  groupWithoutBindings,
  hiddenBinding,
  valueSetTwice,
  retryBeyondExpiration,
  negativeLimit,
  nonFqdnHostname,
  mailerDaemonAddress,
  logPathTwice,
  unquotedValue,
];
