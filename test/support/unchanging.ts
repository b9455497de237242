import type { Generation } from '../../src/config/index.ts';
import type { Events } from '../../src/events/index.ts';
import type { ListenerParts } from '../../src/listener/index.ts';

const nothing = { [Symbol.dispose]: () => undefined };

/** A configuration that nobody changes. */
export const unchanging = (current: Generation): ListenerParts['configuration'] => ({
  current,
  onCommit: () => nothing,
  beforeCommit: () => nothing,
  reload: () => Promise.reject(new Error('no files here')),
});

/** Events that nobody hears but who reads the paniclog. */
export const paniclog = (lines: string[] = []): Events => ({
  record: () => undefined,
  subscribe: () => nothing,
  diagnose: (level, module, text) => void lines.push(`${level} ${module}: ${text}`),
});
