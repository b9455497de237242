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
  readonly schemaPath: string;
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

const ALTERNATIVE = /\/anyOf\/\d+$/;

/** With alternatives: what is wrong with the one that was meant, else which there are. */
function worthTelling(mistakes: readonly Mistake[]): readonly Mistake[] {
  const unions = mistakes.filter(({ keyword }) => keyword === 'anyOf');
  const outer = mistakes.filter((mistake) => !unions.some((union) => branchOf(mistake, union) !== undefined));
  // The list of mistakes ends at some length: a last alternative without its union says half of it.
  const whole = outer.filter(({ schemaPath }) => unions.length === 0 || !ALTERNATIVE.test(schemaPath));
  return (whole.length > 0 ? whole : outer).flatMap((mistake) =>
    mistake.keyword === 'anyOf' ? ofUnion(mistake, mistakes) : [mistake],
  );
}

function ofUnion(union: Mistake, mistakes: readonly Mistake[]): readonly Mistake[] {
  const branches = Map.groupBy(mistakes, (mistake) => branchOf(mistake, union));
  branches.delete(undefined);
  const wanted: string[] = [];
  const meant: (readonly Mistake[])[] = [];
  for (const branch of branches.values()) {
    const here = branch.filter(({ instancePath }) => instancePath === union.instancePath);
    const other = here.find(({ keyword }) => keyword === 'const') ?? here.find(({ keyword }) => keyword === 'type');
    if (other === undefined) meant.push(branch);
    else wanted.push(wantedBy(other));
  }
  if (meant.length === 1) return worthTelling(meant[0] ?? []);
  const message = meant.length === 0 ? `must be ${wanted.join(' or ')}` : 'has none of the forms that it may have';
  return [{ ...union, message }];
}

/** @returns which alternative of a union the mistake was made in */
function branchOf({ schemaPath, instancePath }: Mistake, union: Mistake): string | undefined {
  const front = `${union.schemaPath}/anyOf/`;
  const within = instancePath === union.instancePath || instancePath.startsWith(`${union.instancePath}/`);
  return within && schemaPath.startsWith(front) ? schemaPath.slice(front.length).split('/')[0] : undefined;
}

function wantedBy({ params }: Mistake): string {
  if (typeof params !== 'object' || params === null) return '';
  return 'allowedValue' in params ? JSON.stringify(params.allowedValue) : 'type' in params ? String(params.type) : '';
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
