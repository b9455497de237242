/** Who may connect where: sockets, session caps, and who speaks with the clients. */
export { ListenError, type Listeners, listeners, type OpenDoor } from './listeners.ts';
export { listenerOptions } from './options.ts';
export type { Handler, ListenerParts } from './parts.ts';
export type { ListenPlan } from './steps.ts';
export { DEFAULT_CONTROL } from './wanted.ts';
