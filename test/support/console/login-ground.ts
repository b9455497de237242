import { type AuthParameters, digestOf, readStoreAddress } from '../../../src/auth/index.ts';
import { type Endpoint, parseEndpoint } from '../../../src/base/index.ts';
import { frame, frameKinds } from '../../../src/console/index.ts';
import type { AccountingEvent, DiagnosticEvent } from '../../../src/events/index.ts';
import { FakeHouse } from './fake-house.ts';
import { type Served, serve } from './peer.ts';

export function endpoint(text: string): Endpoint {
  const at = parseEndpoint(text);
  if (at.kind === 'error') throw new Error(at.text);
  return at;
}

const at = endpoint('192.0.2.1:2025');
export const parameters = (uri: string, logAuthentication = true): AuthParameters => ({
  store: readStoreAddress(uri),
  logAuthentication,
  realm: undefined,
});

export interface Ground extends Served {
  readonly accounts: AccountingEvent[];
  readonly told: DiagnosticEvent[];
}

/** A house that lets fred in by DIGEST-MD5 or LOGIN over TCP. */
export async function ground(values: Readonly<Record<string, unknown>> = {}, where: Endpoint = at): Promise<Ground> {
  const house = new FakeHouse();
  house.disk.put('/etc/passwords', `fred:Momentum Console:${digestOf('fred', 'Momentum Console', 'secret')}\n`);
  Object.assign(house.values, {
    authdigestmd5parameters: parameters('digest:///etc/passwords'),
    authloginparameters: parameters('digest:///etc/passwords'),
    ...values,
  });
  const accounts: AccountingEvent[] = [];
  const told: DiagnosticEvent[] = [];
  house.events.subscribe(['accounting'], (event) => void accounts.push(event));
  house.events.subscribe(['diagnostic'], (event) => void told.push(event));
  return { ...(await serve(house, 60, where)), accounts, told };
}

export type Peer = ReturnType<Served['peer']>;
export const LOGIN = Buffer.from('LOGIN');

export async function shows(peer: Peer, kind: 'login' | 'respond', bytes: Uint8Array, wait = 1100): Promise<string[]> {
  peer.pipe.write(frame(frameKinds[kind], bytes));
  return peer.hears(wait);
}

export async function entered(served: Served, user = 'fred', password = 'secret'): Promise<Peer> {
  const peer = served.peer();
  await peer.hears(10);
  await shows(peer, 'login', LOGIN);
  await shows(peer, 'respond', Buffer.from(user));
  await shows(peer, 'respond', Buffer.from(password));
  return peer;
}
