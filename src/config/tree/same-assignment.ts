import { valueText } from '../text/print.ts';
import type { Assignment } from './stanza.ts';

/** Whether two settings of one option mean the same: `5m` is 300, and `"a"` is `a`. Lists are compared by their text. */
export function sameAssignment(one: Assignment, other: Assignment): boolean {
  if (one === other || one.value === other.value) return true;
  if (one.values.length === other.values.length && one.values.every((value, index) => same(value, other.values[index])))
    return true;
  return valueText(one.value) === valueText(other.value);
}

/** Of objects we cannot know here what they mean. */
const same = (one: unknown, other: unknown): boolean =>
  (one === null || typeof one !== 'object') && Object.is(one, other);
