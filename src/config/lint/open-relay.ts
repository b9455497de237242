import { parseCidr } from '../../base/index.ts';
import { type Client, type Door, familyOf, isVast } from './doors.ts';
import { effective, textsOf } from './effective.ts';
import type { Finding, LintRule, Subject } from './rule.ts';

export const openRelay: LintRule = {
  id: 'open-relay',
  summary: 'strangers may send to any domain through an endpoint that they can reach',
  *find(subject) {
    for (const door of subject.doors('esmtp_listener')) {
      if (door.reach !== 'public') continue;
      for (const client of door.clients) if (client.everybody) yield* judged(subject, door, client);
    }
  },
};

function* judged(subject: Subject, door: Door, client: Client): Iterable<Finding> {
  const value = (name: string) => effective(subject.generation, client.query, name);
  const open = value('open_relay');
  if (open?.values[0] === true)
    yield {
      place: open.at,
      text: `Open_Relay is true for everybody who reaches ${door.title}: they may send anywhere`,
    };
  const hosts = value('relay_hosts');
  const family = familyOf(door.endpoint);
  const vast = textsOf(hosts).find((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && cidr.family === family && isVast(cidr);
  });
  if (hosts && vast !== undefined)
    yield {
      place: hosts.value.at,
      text: `Relay_Hosts holds ${vast}: strangers who reach ${door.title} may send anywhere`,
    };
  const senders = value('relay_for_sending_domains');
  const why = senders && guessable(textsOf(senders), value);
  if (senders && why !== undefined)
    yield {
      place: senders.value.at,
      text: `Relay_For_Sending_Domains ${why}: whoever writes such a sender at ${door.title} may send anywhere`,
    };
}

/** Senders are only words; those that everybody knows protect nothing. */
function guessable(
  patterns: readonly string[],
  value: (name: string) => ReturnType<typeof effective>,
): string | undefined {
  if (patterns.length === 0) return 'is empty, which means every sender';
  const wide = patterns.find((pattern) => /^\*\.?[^.]*$/.test(pattern));
  if (wide !== undefined) return `holds ${wide}`;
  const known = patterns.find((pattern) => FREE_MAIL.has(pattern.toLowerCase()));
  if (known !== undefined) return `holds ${known}, in which everybody has an address`;
  const published = new Set(textsOf(value('relay_domains')).map((domain) => domain.toLowerCase()));
  const ours = patterns.find((pattern) => published.has(pattern.toLowerCase()));
  if (ours !== undefined) return `holds ${ours}, which Relay_Domains makes known to be served here`;
  const names = ['hostname', 'banner_hostname'].flatMap((name) => textsOf(value(name)));
  const told = patterns.find((pattern) =>
    names.some((name) => `.${name}`.toLowerCase().endsWith(`.${pattern}`.toLowerCase())),
  );
  return told === undefined ? undefined : `holds ${told}, which the name of this server gives away`;
}

const FREE_MAIL = new Set([
  'aol.com',
  'gmail.com',
  'gmx.de',
  'gmx.net',
  'googlemail.com',
  'hotmail.com',
  'icloud.com',
  'live.com',
  'mail.ru',
  'msn.com',
  'outlook.com',
  'proton.me',
  'qq.com',
  'web.de',
  'yahoo.com',
  'ymail.com',
]);
