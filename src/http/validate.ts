import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Convert } from 'typebox/value';
import { type Refusal, refusal, refusals } from './answer.ts';

/** Mistakes that are told at once. */
const MOST_TOLD = 20;

type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: Refusal };

export interface Validator {
  check(value: unknown): Checked;
}

/** Of a JSON body: types as they are, nothing is converted. Fields that the schema does not name are let through. */
export function bodyValidator(schema: TSchema): Validator {
  const compiled = Compile(schema);
  return {
    check(value) {
      if (compiled.Check(value)) return { ok: true, value };
      if (value === undefined) return { ok: false, why: refusal('1400', 'a body is required: a JSON object') };
      return { ok: false, why: bodyMistakes(compiled.Errors(value)) };
    },
  };
}

/** Of a query or of a path, whose values are texts. */
export function textValidator(schema: TSchema): Validator {
  const compiled = Compile(schema);
  return {
    check(texts) {
      const value: unknown = Convert(schema, texts);
      if (compiled.Check(value)) return { ok: true, value };
      return { ok: false, why: textMistakes(compiled.Errors(value)) };
    },
  };
}

interface Mistake {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: unknown;
  readonly message: string;
}

function bodyMistakes(mistakes: readonly Mistake[]): Refusal {
  return told(
    worthTelling(mistakes).flatMap((mistake) => {
      const where = fieldName(mistake.instancePath);
      if (mistake.keyword !== 'required')
        return [refusal('1300', where === '' ? `the body ${mistake.message}` : `${where} ${mistake.message}`)];
      return missing(mistake).map((name) => refusal('1400', `${where === '' ? name : `${where}.${name}`} is required`));
    }),
    refusal('1300', 'the body is not as it must be'),
  );
}

function textMistakes(mistakes: readonly Mistake[]): Refusal {
  return told(
    worthTelling(mistakes).flatMap((mistake) => {
      if (mistake.keyword !== 'required')
        return [refusal('1200', `parameter ${fieldName(mistake.instancePath)} ${mistake.message}`)];
      return missing(mistake).map((name) => refusal('1401', `parameter ${name} is required`));
    }),
    refusal('1200', 'a parameter is not as it must be'),
  );
}

/** Of alternatives only that none of them fits: what is wrong with each would contradict the others. */
function worthTelling(mistakes: readonly Mistake[]): readonly Mistake[] {
  const unions = mistakes.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath);
  return mistakes.filter(
    ({ keyword, instancePath }) => keyword === 'anyOf' || !unions.some((path) => instancePath.startsWith(path)),
  );
}

function told(each: readonly Refusal[], otherwise: Refusal): Refusal {
  const [first = otherwise, ...others] = each.slice(0, MOST_TOLD);
  return refusals(first, ...others.filter(({ status }) => status === first.status));
}

function missing({ params }: Mistake): readonly string[] {
  const names: unknown =
    typeof params === 'object' && params !== null && 'requiredProperties' in params ? params.requiredProperties : [];
  return Array.isArray(names) ? names.map(String) : [];
}

/** `/recipients/0/address` as people write it: `recipients[0].address`. */
const fieldName = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, at) => (/^\d+$/.test(part) ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
