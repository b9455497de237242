/** Where everything stands in the simulated world. */

export const SERVER_IP = '10.0.0.1';
export const SERVER_NAME = 'mx.impetus.test';
export const NAME_SERVER = { ip: '10.0.0.53', port: 53 };
export const CLIENT_IP = '192.0.2.10';
export const CONTROL = '/run/control';
export const CONFIGURATION = '/etc/impetus.conf';
export const SPOOL = '/spool';
export const MAINLOG = '/log/mainlog.ec';
/** Where every sender lives, and its bounces go. */
export const SENDERS = 'senders.test';
