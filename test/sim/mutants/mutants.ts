/** A deliberate fault in the product: what a simulation must find. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file once, however it is laid out. */
  readonly find: string;
  readonly replace: string;
  /** A seed that finds it; another is looked for when the product has changed so that this one does not any more. */
  readonly seed: number;
}

/** The proof that the checkers check: each is found within 500 seeds. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a batch of the spool is not synced',
    file: 'src/spool/log.ts',
    find: 'await segment.file!.sync();',
    replace: '',
    seed: 4,
  },
  {
    name: '250 before the message is kept',
    file: 'src/reception/transaction.ts',
    find: 'draft.commit(this.#envelope, this.#traits, this);',
    replace: 'draft.commit(this.#envelope, this.#traits, this); this.#outcome.kept(this);',
    seed: 1,
  },
  {
    name: 'no record when all recipients are done',
    file: 'src/spool/log-spool.ts',
    find: "if (receptions.table.get(slot, REMAINING) === 0) log.note({ kind: 'done', slot, recipients: undefined, offset: 0, length: 0, owes: 0 });",
    replace: 'if (receptions.table.get(slot, REMAINING) === 0) return;',
    seed: 1,
  },
  {
    name: 'no record when some recipients are done',
    file: 'src/spool/log-spool.ts',
    find: 'else if (!written && fresh.length > 0)',
    replace: 'else if (written && fresh.length > 0)',
    seed: 1,
  },
  {
    name: 'no abort record behind a failed sync',
    file: 'src/spool/log.ts',
    find: 'this.#notes = [abort, ...notes, ...this.#notes];',
    replace: 'this.#notes = [...notes, ...this.#notes];',
    seed: 302,
  },
  {
    name: 'notes of a failed batch are not written again',
    file: 'src/spool/log.ts',
    find: 'this.#notes = [abort, ...notes, ...this.#notes];',
    replace: 'this.#notes = [abort, ...this.#notes];',
    seed: 1,
  },
  {
    name: 'a bounce and the end of its message in two batches',
    file: 'src/spool/encode.ts',
    find: 'const replaces = replacement(receptions, pending);',
    replace: 'const replaces = undefined as ReturnType<typeof replacement>;',
    seed: 1,
  },
  {
    name: 'a message is done before its bounce is on disk',
    file: 'src/bounce/bouncer.ts',
    find: 'const draft = spool.draft();',
    replace: 'spool.done(job.message.at, indices(job.failed)); const draft = spool.draft();',
    seed: 1,
  },
  {
    name: 'compaction forgets who is done',
    file: 'src/spool/encode.ts',
    find: 'if (finished.length > 0)',
    replace: 'if (finished.length > 1_000_000)',
    seed: 1,
  },
  {
    name: 'the names of new segments are not synced',
    file: 'src/spool/shelf.ts',
    find: 'await disk.syncDirectory(directory); } catch (cause) { // It is empty;',
    replace: '} catch (cause) { // It is empty;',
    seed: 6,
  },
  {
    name: 'large bodies are not synced',
    file: 'src/spool/large.ts',
    find: 'if (sync) await file.sync();',
    replace: '',
    seed: 16,
  },
  {
    name: 'a connection more than max_outbound_connections of a host',
    file: 'src/shaping/host-limits.ts',
    find: 'this.#shaping.openTo(this.#binding, this.#host) < this.#cap',
    replace: 'this.#shaping.openTo(this.#binding, this.#host) <= this.#cap',
    seed: 9,
  },
  {
    name: 'a connection more than server_max_outbound_connections',
    file: 'src/shaping/pair-limits.ts',
    find: 'server.open >= this.#serverCap',
    replace: 'server.open > this.#serverCap',
    seed: 1,
  },
  {
    name: 'a message throttle is asked and not taken from',
    file: 'src/shaping/pair-limits.ts',
    find: 'this.#messages?.take(units, now);',
    replace: '',
    seed: 3,
  },
  {
    name: 'a retry is not counted',
    file: 'src/queue/pair.ts',
    find: 'item.retries++;',
    replace: '',
    seed: 1,
  },
  {
    name: 'waits do not double',
    file: 'src/queue/retry.ts',
    find: '2 ** retries',
    replace: '2 ** 0',
    seed: 2,
  },
  {
    name: 'expiration is ignored',
    file: 'src/queue/retry.ts',
    find: "if (now >= deadline) return { kind: 'give up', expired: true, reply: TOO_OLD };",
    replace: '',
    seed: 52,
  },
  {
    name: 'retries are not kept on disk',
    file: 'src/spool/log-spool.ts',
    find: "this.#parts.log.note({ kind: 'state', slot, bytes: state, offset: 0, length: 0, owes: 0 });",
    replace: 'void state; void slot;',
    seed: 1,
  },
  {
    name: 'a recipient of a batch is lost',
    file: 'src/queue/pair.ts',
    find: 'items.push(following);',
    replace: 'if (items.length < 3) items.push(following);',
    seed: 2,
  },
  {
    name: 'a slice of a body is sent twice',
    file: 'src/delivery/body-sender.ts',
    find: 'this.#push(of, read);',
    replace: 'this.#push(of, read); this.#push(of, read);',
    seed: 1,
  },
  {
    name: 'dots are not doubled',
    file: 'src/smtp/client-body.ts',
    find: "text.replace(/\\r\\n|\\r|\\n/g, '\\r\\n').replace(/\\n\\./g, '\\n..');",
    replace: "text.replace(/\\r\\n|\\r|\\n/g, '\\r\\n');",
    seed: 1,
  },
  {
    name: 'a refused recipient counts as delivered',
    file: 'src/smtp/client-transaction.ts',
    find: 'else of.results[recipient] = failure(said, stages.after.rcpt);',
    replace: '',
    seed: 1,
  },
  {
    name: 'the place of a closed connection is not given back',
    file: 'src/delivery/service.ts',
    find: 'this.#connections.get(connection)?.[Symbol.dispose]();',
    replace: '',
    seed: 3,
  },
  {
    name: 'a bounce that is on disk is not sent',
    file: 'src/bounce/bouncer.ts',
    find: 'parts.enqueue(kept);',
    replace: '',
    seed: 1,
  },
  {
    name: 'a sender who asked for silence is told of a failure',
    file: 'src/bounce/bouncer.ts',
    find: "notify === undefined || notify.includes('FAILURE')",
    replace: 'true',
    seed: 1,
  },
  {
    name: 'what was delivered is not finished when its sender is told so',
    file: 'src/bounce/bouncer.ts',
    find: "action === 'delayed' ? [] : all;",
    replace: '[];',
    seed: 1,
  },
];
