import { boolean, option } from '../config/index.ts';

/** Global, after the next start: 16 digits of microseconds in the logs that are `hires_capable`. */
export const logHiresTimestamp = option('log_hires_timestamp', boolean);
