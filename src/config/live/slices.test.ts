import { describe, expect, test } from 'vitest';
import { diskWith, MAIN } from '../../../test/support/configuration.ts';
import { bindingName, type Domain, millis } from '../../base/index.ts';
import {
  arrayOf,
  type CommandResult,
  ConfigErrors,
  configCommand,
  configSession,
  integer,
  type LiveConfiguration,
  loadConfiguration,
  option,
  regex,
} from '../index.ts';

const connections = option('max_outbound_connections', integer);
const declared = [connections];

/** A clock on which each look costs a tenth of a millisecond, and that counts how often work gave way. */
class SlowClock {
  turns = 0;
  /** Called whenever the loop has been round. */
  between: () => void = () => undefined;
  #now = 0;
  readonly date = () => millis(0);
  readonly now = () => millis((this.#now += 0.1));
  readonly defer = (run: () => void): void => {
    this.turns++;
    queueMicrotask(() => {
      this.between();
      run();
    });
  };
}

async function loaded(files: string | Readonly<Record<string, string>>, clock: SlowClock): Promise<LiveConfiguration> {
  const disk = await diskWith(files);
  return loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] });
}

const domains = (count: number, more: string): string =>
  Array.from(
    { length: count },
    (_, index) => `Domain "d${index}.test" { Max_Outbound_Connections = ${index} ${more} }`,
  ).join('\n');
const sending = (configuration: LiveConfiguration, domain: string): number | undefined =>
  configuration.current.sending('default', bindingName('default'), domain as Domain).get(connections);

describe('a big configuration', () => {
  test('is loaded a slice at a time, and is the one that is loaded in one go', async () => {
    const clock = new SlowClock();
    const text = `${domains(3000, '')}\nESMTP_Listener { Peer "10.0.0.0/8" { } }\nDomain "/x$/" { Max_Outbound_Connections = 7 }`;
    const sliced = await loaded(text, clock);
    expect(clock.turns).toBeGreaterThan(20);
    const disk = await diskWith(text);
    const whole = await loadConfiguration({
      disk,
      clock: { date: () => millis(0) },
      searchPath: ['/etc/impetus'],
      declared,
      modules: [],
    });
    expect(sliced.current.hash).toBe(whole.current.hash);
    expect(sliced.notices).toEqual(whole.notices);
    expect(sending(sliced, 'd2999.test')).toBe(2999);
    expect(sending(sliced, 'ax')).toBe(7);
  });

  test('is reloaded while everybody goes on with the generation before, and changes at once for all', async () => {
    const clock = new SlowClock();
    const disk = await diskWith(domains(3000, ''));
    const configuration = await loadConfiguration({ disk, clock, searchPath: ['/etc/impetus'], declared, modules: [] });
    const seen = new Set<string>();
    const last = configuration.current.sending('default', bindingName('default'), 'd5.test' as Domain);
    clock.between = () =>
      void seen.add(
        `${configuration.current.number} ${sending(configuration, 'd5.test')} ${sending(configuration, 'd2999.test')}`,
      );
    clock.turns = 0;
    await disk.replace(MAIN, Buffer.from(domains(3000, '').replaceAll(' = ', ' = 1')));
    await configuration.reload();
    expect(clock.turns).toBeGreaterThan(20);
    expect([...seen]).toEqual(['1 5 2999']);
    expect(sending(configuration, 'd5.test')).toBe(15);
    expect(last.sameIn(configuration.current)).toBe(false);
  });

  test('takes a command of the console in the middle of a reload, and does it afterwards', async () => {
    const clock = new SlowClock();
    const configuration = await loaded(domains(2000, ''), clock);
    let asked: Promise<CommandResult> | undefined;
    clock.between = () => {
      asked ??= configCommand(configuration, configSession(), 'set Max_Outbound_Connections 3');
    };
    await configuration.reload();
    expect(sending(configuration, 'u.test')).not.toBe(3);
    expect(await asked).toEqual({ ok: true, lines: ['Max_Outbound_Connections = 3'] });
    expect(configuration.current.number).toBe(3);
    expect(sending(configuration, 'u.test')).toBe(3);
  });

  test('tells all its errors in the order of the text, each once', async () => {
    const clock = new SlowClock();
    const error = await loaded(
      {
        [MAIN]: `include "b"\n${domains(1500, 'Spol = 1')}\ninclude "b"`,
        '/etc/impetus/b': Array.from({ length: 700 }, () => 'Nonsense = 1').join('\n'),
      },
      clock,
    ).catch((thrown: unknown) => thrown);
    if (!(error instanceof ConfigErrors)) throw new Error('it was accepted');
    expect(error.errors).toHaveLength(2200);
    const places = error.errors.map(({ place }) => [place?.file, place?.line]);
    expect(places.slice(0, 1500)).toEqual(Array.from({ length: 1500 }, (_, index) => [MAIN, index + 2]));
    expect(places.slice(1500)).toEqual(Array.from({ length: 700 }, (_, index) => ['/etc/impetus/b', index + 1]));
  });
});

describe('regular expressions', () => {
  const hopeless = '(a*)*\\1(a*)*\\1(a*)*b$';

  test('that hang other engines are matched, and whose time cannot be bounded are warned of', async () => {
    const configuration = await loaded(
      `Domain "/^(a+)+$/" { Max_Outbound_Connections = 1 }\nDomain "/^${hopeless}/" { }`,
      new SlowClock(),
    );
    expect(sending(configuration, `${'a'.repeat(200)}.test`)).not.toBe(1);
    expect(sending(configuration, 'a'.repeat(200))).toBe(1);
    expect(configuration.notices.map((notice) => notice.line)).toEqual([
      `${MAIN}:2:1: warning: domain "/^${hopeless}/": the time of the regular expression /^${hopeless}/ cannot be bounded: with some texts it will give up, which counts as no match`,
    ]);
  });

  test('that give up say so with their place, and matching goes on with the next stanza', async () => {
    const configuration = await loaded(
      `Domain "/^${hopeless}/" { Max_Outbound_Connections = 1 }\nDomain "/a$/" { Max_Outbound_Connections = 2 }`,
      new SlowClock(),
    );
    const told: string[] = [];
    const hearing = configuration.onPatternTrouble((text) => void told.push(text));
    expect(sending(configuration, 'a'.repeat(250))).toBe(2);
    expect(told).toEqual([expect.stringContaining(`${MAIN}:1:1: the regular expression /^${hopeless}/ gave up`)]);
    hearing[Symbol.dispose]();
    for (let length = 240; length > 230; length--) sending(configuration, 'a'.repeat(length));
    expect(told).toHaveLength(1);
  });

  test('in values are read as patterns, each of an array too', () => {
    const raw = { kind: 'array', items: ['^a', 'b$'].map((text) => ({ text, at })), at } as const;
    expect(
      arrayOf(regex)
        .read(raw)
        .map((pattern) => pattern.test('ab')),
    ).toEqual([true, true]);
  });

  const at = { file: 'f', line: 1, column: 1 };
});
