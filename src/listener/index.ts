/** Who may connect where: sockets, session caps, and who speaks with the clients. */
export { type Listeners, listeners } from './listeners.ts';
export { listenerOptions } from './options.ts';
export type { DoorOrigin, Handler, ListenerParts } from './parts.ts';
export { type ListenPlan, type PlanCircumstances, planListeners } from './plan.ts';
export { ListenError } from './sockets.ts';
export { DEFAULT_CONTROL, type ListenSocket, socketTitle } from './wanted.ts';
