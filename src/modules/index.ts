/** Bundled modules: what they are to the house, and their definitions for the catalogue in main. */

export { bounceLogger } from './bounce_logger/bounce-logger.ts';
export { conntrol } from './conntrol/conntrol.ts';
export { ecLogger } from './ec_logger/ec-logger.ts';
export { standardErrorLog } from './ec_logger/paniclog.ts';
export { httpLogger } from './http_logger/http-logger.ts';
export { logHiresTimestamp } from './log-options.ts';
export * from './module.ts';
