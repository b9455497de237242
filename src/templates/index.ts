/** The template language: text with `{{ }}` and data in, text out; no clock, no evaluator, and an end to everything. */

export { KEYWORDS } from './expression.ts';
export { MOST_MILLIS, MOST_OUTPUT, MOST_STEPS } from './run.ts';
export { type Place, type Template, type Templates, templates } from './template.ts';
export { TemplateError } from './trouble.ts';
export type { Data, Fields, Value } from './value.ts';
