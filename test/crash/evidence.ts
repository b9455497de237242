import { readFileSync } from 'node:fs';

/** What is known of one life of the server, from the lines that its witness left. */
export interface Evidence {
  /** Arrivals whose 250 the server has heard. */
  readonly heard: ReadonlySet<number>;
  /** Those of them whose done record was on disk, synced, before the end. */
  readonly durable: ReadonlySet<number>;
  /** When the process died by its own hand, milliseconds since the epoch. */
  readonly killedAt: number | undefined;
  /** When each 250 was heard that was not durable at the end. */
  readonly open: ReadonlyMap<number, number>;
}

export const nothing: Evidence = { heard: new Set(), durable: new Set(), killedAt: undefined, open: new Map() };

/**
 * Lines are `heard SERIAL TIME`, `write TIME` and `synced TIME` of batches, `killed TIME`. The log writes one batch at a
 * time, and each takes along every done record that is there when it begins: what was heard before a batch that was
 * synced is durable.
 */
export function readEvidence(path: string): Evidence {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return nothing;
  }
  return evidenceIn(text);
}

export function evidenceIn(text: string): Evidence {
  const heard = new Set<number>();
  const durable = new Set<number>();
  let open = new Map<number, number>();
  let covered = new Map<number, number>();
  let killedAt: number | undefined;
  // A line without its end was being written when the process died.
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const [word, ...numbers] = line.split(' ');
    const [first = 0, second = 0] = numbers.map(Number);
    if (word === 'heard') {
      heard.add(first);
      open.set(first, second);
    } else if (word === 'write') {
      covered = new Map([...covered, ...open]);
      open = new Map();
    } else if (word === 'synced') {
      for (const serial of covered.keys()) durable.add(serial);
      covered = new Map();
    } else if (word === 'killed') killedAt = first;
  }
  return { heard, durable, killedAt, open: new Map([...covered, ...open]) };
}
