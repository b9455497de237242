import { expect, test } from 'vitest';
import { evidenceIn } from './evidence.ts';
import { Judge } from './judge.ts';
import type { Letter } from './letters.ts';
import type { Arrival } from './sink.ts';

const letterTo = (...recipients: string[]): Letter => ({
  id: '1-1',
  reversePath: 'back-1-1@o.test',
  recipients,
  text: '',
});

function arrival(serial: number, recipients: readonly string[], more: Partial<Arrival> = {}): Arrival {
  return {
    serial,
    round: 1,
    reversePath: 'x',
    recipients,
    messageId: 'm',
    failed: [],
    whole: true,
    vanished: false,
    ...more,
  };
}

/** One acknowledged letter, and what came of it. */
function judged(letter: Letter, arrivals: readonly Arrival[], evidence = '') {
  const judge = new Judge();
  judge.begun(letter);
  judge.acknowledged(letter);
  judge.ended(1, { killed: true, evidence: evidenceIn(evidence) });
  judge.ended(2, { killed: false, evidence: evidenceIn('') });
  for (const each of arrivals) judge.arrived(each);
  return judge.close(1);
}

test('an acknowledged recipient that neither arrived nor bounced is lost', () => {
  const verdict = judged(letterTo('ok-1-1-0@d.test', 'no-1-1-1@d.test', 'ok-1-1-2@d.test'), [
    arrival(1, ['ok-1-1-0@d.test']),
  ]);
  expect(verdict).toMatchObject({ acknowledged: 1, lost: ['no-1-1-1@d.test', 'ok-1-1-2@d.test'], faults: [] });
});

test('a second copy is excused when the server died without having heard, or before its note was durable', () => {
  const letter = letterTo('ok-1-1-0@d.test');
  const copies = [arrival(5, letter.recipients), arrival(6, letter.recipients, { round: 2 })];
  const excuses = (evidence: string) => {
    const { duplicates, faults } = judged(letter, copies, evidence);
    return [...duplicates.map((each) => each.excuse), ...faults];
  };
  expect(excuses('')).toEqual(['died before it heard']);
  expect(excuses('heard 4 1.0\nwrite 2.0\nsynced 3.0\n')).toEqual(['died before it heard']);
  expect(excuses('heard 5 1.0\n')).toEqual(['died before the note was durable']);
  expect(excuses('write 0.5\nheard 5 1.0\nsynced 2.0\nwrite 3.0\n')).toEqual(['died before the note was durable']);
  expect(excuses('heard 5 1.0\nwrite 2.0\nsynced 3')).toEqual(['died before the note was durable']);
  expect(excuses('heard 5 1.0\nwrite 2.0\nsynced 3.0\n')).toEqual([
    'ok-1-1-0@d.test got m again, though its delivery in round 1 was on disk',
  ]);
});

test('a peer that hung up instead of saying 250 may get the message again; one that did not may not', () => {
  const letter = letterTo('ok-1-1-0@d.test');
  const again = (vanished: boolean) =>
    judged(letter, [
      arrival(1, letter.recipients, { round: 2, vanished }),
      arrival(2, letter.recipients, { round: 2 }),
    ]);
  expect(again(true)).toMatchObject({ faults: [], duplicates: [{ excuse: 'the peer vanished' }] });
  expect(again(false).faults).toHaveLength(1);
});

test('two bounces for one recipient, a bounce that nobody asked for, and a changed body are faults', () => {
  const letter = letterTo('no-1-1-0@d.test', 'ok-1-1-1@d.test');
  const bounce = (serial: number, messageId: string, failed: readonly string[]) =>
    arrival(serial, ['back-1-1@o.test'], { reversePath: '', messageId, failed });
  const good = [arrival(1, ['ok-1-1-1@d.test']), bounce(2, 'b1', ['no-1-1-0@d.test'])];
  expect(judged(letter, good)).toMatchObject({ lost: [], faults: [] });
  expect(judged(letter, [...good, bounce(3, 'b2', ['no-1-1-0@d.test'])]).faults).toContain(
    'no-1-1-0@d.test was bounced 2 times, by b1 and b2',
  );
  expect(judged(letter, [...good, bounce(3, 'b3', ['ok-1-1-1@d.test'])]).faults).toHaveLength(1);
  expect(judged(letter, [...good, arrival(4, ['ok-1-1-1@d.test'], { whole: false, vanished: true })]).faults).toContain(
    'message m for ok-1-1-1@d.test arrived with another body than it was sent with',
  );
});

test('an unacknowledged message may be there or not, but not in part; what was judged never comes again', () => {
  const judge = new Judge();
  judge.begun(letterTo('ok-1-1-0@d.test', 'ok-1-1-1@d.test'));
  expect(judge.missing()).toEqual([]);
  judge.arrived(arrival(1, ['ok-1-1-0@d.test']));
  expect(judge.close(1).faults).toEqual(['of unacknowledged 1-1 a part is missing: ok-1-1-1@d.test']);
  judge.arrived(arrival(2, ['ok-1-1-0@d.test']));
  judge.arrived(arrival(3, ['ok-2-9-0@d.test']));
  expect(judge.close(2).faults).toEqual([
    'message m for ok-1-1-0@d.test came again, long after it had been finished',
    'message m for ok-2-9-0@d.test was never sent',
  ]);
});
