/** What is sent, by the names of the plan of speed. */
export interface Workload {
  readonly name: WorkloadName;
  /** Bytes of one message. */
  readonly bytes: number;
  readonly sessions: number;
  /** Many messages over one connection; else one each. */
  readonly reuse: boolean;
  /** Messages of the run that finds out how many a longer one shall have. */
  readonly first: number;
}

export type WorkloadName = 'W1' | 'W2' | 'W3' | 'W4';

/** `relay`: each message is delivered to a sink. `hold`: taken and queued, nothing is delivered. */
export type Mode = 'relay' | 'hold';

export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  W1: { name: 'W1', bytes: 10_240, sessions: 50, reuse: true, first: 2500 },
  W2: { name: 'W2', bytes: 10_240, sessions: 50, reuse: false, first: 2000 },
  W3: { name: 'W3', bytes: 1024, sessions: 100, reuse: true, first: 5000 },
  W4: { name: 'W4', bytes: 102_400, sessions: 20, reuse: true, first: 500 },
};

export const isWorkload = (name: string): name is WorkloadName => name in workloads;
export const isMode = (name: string): name is Mode => name === 'relay' || name === 'hold';

export function inWords({ bytes, sessions, reuse }: Workload): string {
  return `${bytes / 1024} KiB, ${sessions} sessions, ${reuse ? 'many messages each' : 'a connection for each message'}`;
}
