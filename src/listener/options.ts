import { boolean, integer, integerBetween, mode, option } from '../config/index.ts';

export const enable = option('enable', boolean);
export const listenBacklog = option('listen_backlog', integerBetween(1, 65_535));
export const fileMode = option('file_mode', mode, { scope: 'listen' });
export const listenerSessions = option('listener_sessions', integer);
export const serviceSessions = option('service_sessions', integer);

/** Every option that listeners read: all of them are honoured. */
export const listenerOptions = [enable, listenBacklog, fileMode, listenerSessions, serviceSessions];
