import { expect, test } from 'vitest';
import { configOptions } from '../../src/config/index.ts';
import { declaredOptions } from '../../src/main/index.ts';
import { sourceOf, sourcesIn } from './files.ts';
import { declarationsIn, unread } from './options.ts';

const product = sourcesIn('src').filter((file) => !file.isTest);

test('what counts as reading an option: to be handed to somebody, and not to be listed', () => {
  const files = [
    sourceOf(
      'src/room/options.ts',
      `import { option } from '../config/index.ts';
       export const read = option('read', boolean);
       export const asOther: Option<boolean> = option<boolean>('as_other', boolean);
       export const asMember = ownOption('as_member', boolean, { scopes: [] });
       export const here = option('here', boolean);
       export const listed = option('listed', boolean);
       export const imported = option('imported', boolean);
       export const roomOptions: readonly Option<unknown>[] = [read, asOther, asMember, here, listed, imported];
       export const settings = (view: View) => ({ here: view.get(here) });`,
    ),
    sourceOf(
      'src/room/user.ts',
      `import * as options from './options.ts';
       import { asOther as other, imported, read } from './options.ts';
       const listed = 5;
       export const use = (view: View) => [view.get(read), view.get(other), view.get(options.asMember), f(listed)];`,
    ),
  ];
  expect(unread(files).map(({ option }) => option)).toEqual(['listed', 'imported']);
});

test('every option that the program declares is found in the code', () => {
  const found = new Set(declarationsIn(product).map(({ option }) => option));
  const declared = [...configOptions, ...declaredOptions];
  expect(declared.filter(({ name }) => !found.has(name)).map(({ name }) => name)).toEqual([]);
});

// Promise of the check: what an option says is done, or it is named as not implemented. Never silence.
test('every option that counts as implemented is read by some code, or its type tells which values change nothing', () => {
  const tells = new Set(declaredOptions.filter(({ type }) => type.unserved !== undefined).map(({ name }) => name));
  expect(unread(product).filter(({ option }) => !tells.has(option))).toEqual([]);
});
