import type { MechanismName } from './mechanism.ts';
import { STORED_TYPES, type StoredType } from './named-scheme.ts';

/** Which stored forms of a password a mechanism can work with. */
export function typesFor(mechanism: MechanismName): readonly StoredType[] {
  switch (mechanism) {
    case 'LOGIN':
    case 'PLAIN':
      return STORED_TYPES.filter((type) => type !== 'hmac_md5');
    case 'CRAM-MD5':
      return ['clear', 'hmac_md5'];
    case 'DIGEST-MD5':
      return ['clear', 'digest-md5'];
    case 'SCRAM-SHA-256':
      return ['clear', 'scram-sha-256'];
  }
}
