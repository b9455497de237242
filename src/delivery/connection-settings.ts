import type { View } from '../config/index.ts';
import type { MessageId } from '../message/index.ts';
import type { HostState } from './host-state.ts';
import type { RouteAddress } from './route.ts';

export interface ConnectionSettings {
  readonly id: MessageId;
  /** Counts up from 1; for consoles. */
  readonly number: number;
  readonly address: RouteAddress;
  readonly port: number;
  readonly state: HostState;
  readonly view: View;
  readonly ehloName: string;
  readonly method: 'ESMTP' | 'SMTP' | 'LMTP';
  readonly pipelining: boolean;
  readonly timeouts: {
    readonly connect: number;
    readonly ehlo: number;
    readonly mailFrom: number;
    readonly rcptTo: number;
    readonly body: number;
    readonly rset: number;
    readonly idle: number;
  };
}
