/** Who may connect where: sockets, session caps, and who speaks with the clients. */
export { listeners, ListenError, type Listeners, type OpenDoor } from './listeners.ts';
export type { Handler, ListenerParts } from './parts.ts';
export { listenerOptions } from './options.ts';
export { DEFAULT_CONTROL } from './wanted.ts';
