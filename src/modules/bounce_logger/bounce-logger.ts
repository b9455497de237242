import { logHiresTimestamp } from '../log-options.ts';
import { lineOf, stamps } from '../log-text.ts';
import { heartbeat, openLog, reopenCommand } from '../logger.ts';
import type { ModuleDefinition } from '../module.ts';
import { bounceLine, isLoggedOutOfBand, outOfBandStage } from './bouncelog.ts';
import * as options from './options.ts';

/**
 * Writes the bouncelog: permanent failures of our own attempts and those that were reported by mail, and transient ones.
 *
 * @see spec/logs-and-metrics.md 4
 */
export const bounceLogger: ModuleDefinition = {
  name: 'bounce_logger',
  instances: 'named',
  options: options.bounceLoggerOptions,
  start(host, view) {
    const mode = view.get(options.escapeMode);
    const stamp = stamps(host.global.get(logHiresTimestamp));
    const inBand = view.get(options.logInbandBounces);
    const outOfBand = view.get(options.logOutofbandBounces);
    const log = openLog(host, options.bouncelog, view, view.get(options.bouncelogMode));
    const kinds = view.get(options.logTransientFailures)
      ? (['permanent', 'transient'] as const)
      : (['permanent'] as const);

    const ends = [
      host.events.subscribe(kinds, (event) => {
        const reported = event.stage === outOfBandStage;
        if (reported ? !outOfBand || !isLoggedOutOfBand(event.bounceClass) : event.kind === 'permanent' && !inBand)
          return;
        log.append(lineOf(bounceLine, event, stamp(event.at), mode));
      }),
      heartbeat(host.clock, view.get(options.heartbeatInterval), () => log.append(`${stamp(host.clock.date())}@@@@M1`)),
      reopenCommand(host, [log]),
    ];
    return {
      async [Symbol.asyncDispose]() {
        for (const end of ends) end[Symbol.dispose]();
        await log[Symbol.asyncDispose]();
      },
    };
  },
};
