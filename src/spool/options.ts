import {
  boolean,
  enumeration,
  integer,
  mode,
  option,
  ownOption,
  path,
  size,
  type ValueType,
  type View,
} from '../config/index.ts';
import type { SpoolSettings } from './spool.ts';

/** Our default, since Momentum's belongs to Momentum. Needs a restart. */
export const spoolbase = option('spoolbase', path, { initial: '/var/spool/impetus' });
export const spoolMode = option('spool_mode', mode);
/** True by default, unlike Momentum's (spec/delivery 2.2): shared syncs cost little, and a power cut must lose nothing. */
export const forceFsync = option('force_fsync', boolean, { initial: true });
export const largeMessageThreshold = option('large_message_threshold', size);
export const maxResidentMessages = option('max_resident_messages', integer, {
  unservedIn: ['binding', 'binding_group'],
});
export const maxResidentBytes = ownOption('max_resident_bytes', size, {
  scopes: ['global'],
  initial: 64 * 1024 * 1024,
  summary: 'bytes of message bodies that are kept in memory',
});
export const spoolMinFree = ownOption('spool_min_free', size, {
  scopes: ['global'],
  initial: 128 * 1024 * 1024,
  summary: 'free bytes below which new mail is refused with 452, so that what is queued can still be finished',
});
/** What becomes of bytes in which no message can be found: read once, at the start. */
export const spoolDamaged = ownOption<'keep' | 'unlink'>('spool_damaged', enumeration('keep', 'unlink'), {
  scopes: ['global'],
  initial: 'keep',
  dynamic: false,
  summary: 'keep: what is damaged is put aside in damaged/ below Spoolbase; unlink: it is deleted, and only told of',
});

/** True asks for what we never do: it is said, and not done. */
const neverUnlinks: ValueType<boolean> = {
  ...boolean,
  unserved: (raw) => (boolean.read(raw) ? ['deletion (it is never done: see Spool_Damaged)'] : []),
};
/** Declared so that the check has something better to say than that no code reads it. */
export const unlinkOnSpoolInFailure = option('unlink_on_spool_in_failure', neverUnlinks, {
  summary: 'accepted; a message that cannot be read is left for the next start, whatever this says: see spool_damaged',
});

export const spoolOptions = [
  spoolbase,
  spoolMode,
  forceFsync,
  largeMessageThreshold,
  maxResidentMessages,
  maxResidentBytes,
  spoolMinFree,
  spoolDamaged,
  unlinkOnSpoolInFailure,
];

/** @param global  values of the top level */
export function spoolSettings(global: View): SpoolSettings {
  return {
    spool_mode: global.get(spoolMode),
    force_fsync: global.get(forceFsync),
    large_message_threshold: global.get(largeMessageThreshold),
    max_resident_messages: global.get(maxResidentMessages),
    max_resident_bytes: global.get(maxResidentBytes),
    spool_min_free: global.get(spoolMinFree),
    spool_damaged: global.get(spoolDamaged),
  };
}
