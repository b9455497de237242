import { hasControls, parseAddressText } from '../compose/index.ts';
import type { Fields } from '../templates/index.ts';
import type { Recipient } from './order.ts';
import { Trouble } from './trouble.ts';

/** Bytes of JSON. */
const MOST_METADATA = 10 * 1024;
const MOST_SUBSTITUTION = 100 * 1024;
/** Further ones are left out (H: extra tags are ignored). */
const MOST_TAGS = 10;
const LONGEST_HEADER_TO = 4096;
const LONGEST_NAME = 1024;

/** @throws Trouble: this recipient gets nothing, the others do */
export function readRecipient(given: unknown): Recipient {
  if (!isObject(given)) throw new Trouble('1300', 'a recipient is an object');
  const { address } = given;
  if (address === undefined) throw new Trouble('1400', 'a recipient needs an address');
  const whole = isObject(address) ? address : { email: address };
  const email = textOf(whole, 'email');
  if (email === undefined) throw new Trouble('1400', 'address.email is required');
  const parsed = parseAddressText(email);
  if (typeof parsed === 'string') throw new Trouble('1300', `${shown(email)} is no address: ${parsed}`);
  const name = textOf(whole, 'name')?.trim();
  const headerTo = textOf(whole, 'header_to')?.trim();
  if (name !== undefined && (hasControls(name) || name.length > LONGEST_NAME))
    throw new Trouble('1300', `the name of ${shown(email)} has line ends or is too long`);
  if (headerTo !== undefined && (hasControls(headerTo) || headerTo.length > LONGEST_HEADER_TO))
    throw new Trouble('1300', `header_to of ${shown(email)} has line ends or is too long`);
  const options = given.options ?? {};
  if (!isObject(options)) throw new Trouble('1300', `options of ${shown(email)} must be an object`);
  const flag = (name: string): { readonly [key: string]: boolean } => {
    const value = options[name] ?? undefined;
    if (value === undefined) return {};
    if (typeof value !== 'boolean')
      throw new Trouble('1300', `options.${name} of ${shown(email)} must be true or false`);
    return { [name]: value };
  };
  return {
    ...parsed,
    name: name === '' ? undefined : name,
    headerTo: headerTo === '' ? undefined : headerTo,
    returnPath: pathOf(textOf(given, 'return_path'), email),
    tags: tagsOf(given.tags, email),
    metadata: fieldsOf(given, 'metadata', MOST_METADATA, email),
    substitutionData: fieldsOf(given, 'substitution_data', MOST_SUBSTITUTION, email),
    options: { ...flag('open_tracking'), ...flag('click_tracking'), ...flag('initial_open') },
  };
}

/** Reverse-paths: an address, or empty for the null one. @returns undefined when there is none */
export function pathOf(text: string | undefined, whose: string): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  if (text.trim() === '<>') return '';
  const parsed = parseAddressText(text);
  if (typeof parsed === 'string') throw new Trouble('1300', `return_path of ${shown(whose)}: ${parsed}`);
  return parsed.path;
}

/** @returns the object when its JSON is not longer than that. @throws Trouble */
export function limited(value: Fields, name: string, most: number): Fields {
  if (Buffer.byteLength(JSON.stringify(value)) > most)
    throw new Trouble(most === MOST_SUBSTITUTION ? '2002' : '1300', `${name} has more than ${most} bytes`);
  return value;
}

export { MOST_METADATA, MOST_SUBSTITUTION };

function fieldsOf(given: Readonly<Record<string, unknown>>, name: string, most: number, email: string): Fields {
  const value = given[name];
  if (value === undefined || value === null) return NOTHING;
  if (!isObject(value)) throw new Trouble('1300', `${name} of ${shown(email)} must be an object`);
  // It comes out of JSON, so it is a tree of values that templates know.
  return limited(value as Fields, `${name} of ${shown(email)}`, most);
}

const NOTHING: Fields = {};

function tagsOf(value: unknown, email: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string'))
    throw new Trouble('1300', `tags of ${shown(email)} must be texts`);
  return value.slice(0, MOST_TAGS) as string[];
}

function textOf(of: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = of[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new Trouble('1300', `${name} of a recipient must be a text`);
  return value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const shown = (text: string): string =>
  text
    .trim()
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 100);
