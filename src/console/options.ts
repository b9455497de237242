import { duration, option } from '../config/index.ts';

/** How long a console may say nothing before it is closed; 0 = for ever. */
export const timeout = option('timeout', duration, { scope: 'control_listener' });
