import { CONTROL, MAINLOG, NAME_SERVER, SERVER_IP, SERVER_NAME, SPOOL } from './places.ts';
import type { Plan } from './plan.ts';

/** What an operator may have changed in the file since the plan was made. */
export interface Changes {
  readonly options: Readonly<Record<string, string>>;
  readonly domains: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export const NO_CHANGES: Changes = { options: {}, domains: new Map() };

/** @returns the server's configuration file */
export function configurationText(plan: Plan, changes: Changes = NO_CHANGES): string {
  const lines = [
    `Hostname = "${SERVER_NAME}"`,
    `Spoolbase = "${SPOOL}"`,
    'Relay_Hosts = ( 192.0.2.0/24 )',
    // Letters are compared byte for byte: nothing may be added to them but trace fields.
    'RFC2822_Missing_Headers = allow',
    'RFC2822_Date_Header = ignore',
    'RFC2822_MessageID_Header = ignore',
    'Transform_8bitmime_Content = no',
    ...assignments({ ...plan.options, ...changes.options }, ''),
    'ESMTP_Listener {',
    `  Idle_Time = ${plan.idleTime}`,
    '  SMTP_Extensions = ( PIPELINING ENHANCEDSTATUSCODES DSN )',
    `  Listen "${SERVER_IP}:25" { }`,
    '}',
    `ECStream_Listener { ECStream_Idle_Time = ${plan.idleTime} Listen "${SERVER_IP}:1825" { } }`,
    `Control_Listener { Listen "${CONTROL}" { } }`,
  ];
  for (const domain of plan.domains) {
    const options = { ...domain.options, ...changes.domains.get(domain.name) };
    if (Object.keys(options).length > 0) lines.push(`Domain "${domain.name}" {`, ...assignments(options, '  '), '}');
  }
  for (const [name, options] of plan.hosts) lines.push(`Host "${name}" {`, ...assignments(options, '  '), '}');
  lines.push(
    'ec_logger {',
    `  mainlog = "${MAINLOG}"`,
    '  rejectlog = "/log/rejectlog.ec"',
    '  paniclog = "/log/paniclog.ec"',
    '  acctlog = "/log/acctlog.ec"',
    '}',
    'bounce_logger { bouncelog = "/log/bouncelog.ec" }',
    '',
  );
  return lines.join('\n');
}

export const resolvConfText = `nameserver ${NAME_SERVER.ip}:${NAME_SERVER.port}\noptions timeout:2 attempts:2\n`;

function assignments(options: Readonly<Record<string, string>>, indent: string): readonly string[] {
  return Object.entries(options).map(([name, value]) => `${indent}${name} = ${value}`);
}
