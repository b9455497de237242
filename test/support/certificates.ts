import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Issued, issueCertificate } from '../../src/world/node/index.ts';

const DAY = 86_400_000;

/** An authority of our own, and certificates that it signs, as files in a folder. Nothing outlives the test. */
export class Certificates {
  readonly #folder: string;
  readonly #root: Issued;
  /** The authority's certificate. */
  readonly authority: string;

  constructor(folder: string, name = 'Test Root') {
    const now = Date.now();
    this.#folder = folder;
    this.#root = issueCertificate({ commonName: name, from: now - DAY, until: now + DAY, authority: true });
    this.authority = join(folder, `${name.replaceAll(' ', '-')}.pem`);
    writeFileSync(this.authority, this.#root.chain);
  }

  /** @returns paths of certificate (with its chain) and key; a second call with one name renews */
  issue(
    file: string,
    names: readonly [string, ...string[]],
    how: { readonly selfSigned?: boolean; readonly expired?: boolean } = {},
  ): { readonly certificate: string; readonly key: string } {
    const now = Date.now();
    const issued = issueCertificate({
      commonName: names[0],
      organization: 'Impetus Test',
      names,
      from: now - 3 * DAY,
      until: how.expired === true ? now - DAY : now + DAY,
      ...(how.selfSigned === true ? {} : { issuer: this.#root }),
    });
    const certificate = join(this.#folder, `${file}.crt`);
    const key = join(this.#folder, `${file}.key`);
    writeFileSync(certificate, issued.chain);
    writeFileSync(key, issued.key);
    return { certificate, key };
  }
}
