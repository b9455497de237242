import type { EventKind, MailEvent } from '../../events/index.ts';
import { logHiresTimestamp } from '../log-options.ts';
import { lineOf, stamps } from '../log-text.ts';
import { heartbeat, logPath, openLog, reopenCommand } from '../logger.ts';
import type { ModuleDefinition } from '../module.ts';
import { accountingLine } from './acctlog.ts';
import { deliveryLine, failureLine, heartbeatLine, receptionLine } from './mainlog.ts';
import * as options from './options.ts';
import { isForPaniclog, panicLine } from './paniclog.ts';
import { rejectHeartbeatLine, rejectionLine } from './rejectlog.ts';

/**
 * Writes mainlog, rejectlog, paniclog and acctlog. Several instances may run side by side; two that name the same file
 * both write into it.
 *
 * @see spec/logs-and-metrics.md 2 to 7
 */
export const ecLogger: ModuleDefinition = {
  name: 'ec_logger',
  instances: 'named',
  options: options.ecLoggerOptions,
  start(host, view) {
    const { clock, events } = host;
    const mode = view.get(options.escapeMode);
    const redacted = new Set(view.get(options.rejectlogRedact).map((key) => key.toLowerCase()));
    const stamp = stamps(host.global.get(logHiresTimestamp));
    // The acctlog is not among those with microseconds.
    const wholeSeconds = stamps(false);

    // Before any file is opened: a stanza that cannot be worked with leaves nothing behind.
    for (const option of [options.mainlog, options.rejectlog, options.paniclog, options.acctlog]) {
      logPath(option.name, view.get(option));
    }
    const mainlog = openLog(host, options.mainlog, view, view.get(options.mainlogMode));
    const rejectlog = openLog(host, options.rejectlog, view, view.get(options.rejectlogMode));
    const paniclog = openLog(host, options.paniclog, view, view.get(options.paniclogMode));
    const acctlog = openLog(
      host,
      options.acctlog,
      view,
      view.get(options.acctlogMode) ?? view.get(options.acctlogLogMode),
    );
    const logs = [mainlog, rejectlog, paniclog, acctlog];

    const hear = (event: MailEvent): void => {
      switch (event.kind) {
        case 'reception':
          return mainlog.append(lineOf(receptionLine, event, stamp(event.at), mode));
        case 'delivery':
          return mainlog.append(lineOf(deliveryLine, event, stamp(event.at), mode));
        case 'transient':
        case 'permanent':
          return mainlog.append(lineOf(failureLine, event, stamp(event.at), mode));
        case 'rejection':
          return rejectlog.append(rejectionLine(event, stamp(event.at), redacted));
        case 'accounting':
          return acctlog.append(accountingLine(event, wholeSeconds(event.at)));
        case 'diagnostic':
          return isForPaniclog(event.level) ? paniclog.append(panicLine(event, stamp(event.at))) : undefined;
      }
    };
    const wanted: readonly (readonly [EventKind, boolean])[] = [
      ['reception', view.get(options.logReceptions)],
      ['delivery', view.get(options.logDeliveries)],
      ['transient', view.get(options.logTransientFailures)],
      ['permanent', view.get(options.logPermanentFailures)],
      ['rejection', view.get(options.logRejections)],
      ['accounting', true],
      ['diagnostic', view.get(options.logErrors)],
    ];
    const kinds = wanted.filter(([, on]) => on).map(([kind]) => kind);

    const ends = [
      events.subscribe(kinds, hear),
      heartbeat(clock, view.get(options.heartbeatInterval), () => {
        mainlog.append(heartbeatLine(stamp(clock.date())));
        rejectlog.append(rejectHeartbeatLine(stamp(clock.date())));
      }),
      reopenCommand(host, logs),
    ];
    return {
      async [Symbol.asyncDispose]() {
        for (const end of ends) end[Symbol.dispose]();
        await Promise.all(logs.map((log) => log[Symbol.asyncDispose]()));
      },
    };
  },
};
