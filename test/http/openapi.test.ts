import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { runProgram } from '../../src/programs/index.ts';
import { simProcess, simWorld } from '../../src/world/sim/index.ts';
import { simShell } from '../support/sim-shell.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required: boolean;
  readonly schema: Fields;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Fields[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Fields }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Fields }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: Readonly<Record<'title' | 'version', string>>;
  readonly jsonSchemaDialect: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: Fields; readonly schemas: Fields };
}

async function schema(...words: readonly string[]) {
  const process = simProcess();
  const code = await runProgram(simShell(simWorld(), process), 'schema', words);
  return { code, process };
}

async function printed(): Promise<Document> {
  const { code, process } = await schema('--openapi');
  expect(code).toBe(0);
  return JSON.parse(process.said) as Document;
}

function* objectsIn(value: unknown): Generator<Fields> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Fields;
  for (const each of Object.values(value)) yield* objectsIn(each);
}

const operations = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

test('the document is OpenAPI 3.1: what must be there is, and every reference leads somewhere', async () => {
  const document = await printed();
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  expect([document.info.title, document.info.version].every((each) => each !== '')).toBe(true);
  expect(operations(document).length).toBeGreaterThan(5);
  for (const { $ref } of objectsIn(document)) {
    if ($ref === undefined) continue;
    const target = String($ref)
      .split('/')
      .slice(1)
      .reduce<unknown>((at, key) => (at as Fields)[key], document);
    expect([$ref, typeof target]).toEqual([$ref, 'object']);
  }
  const tags = document.tags.map(({ name }) => name);
  expect(new Set(tags).size).toBe(tags.length);
  for (const { operation } of operations(document)) for (const tag of operation.tags) expect(tags).toContain(tag);
});

test('every operation has a name of its own, an answer, and says who may ask', async () => {
  const document = await printed();
  const names = operations(document).map(({ operation }) => operation.operationId);
  expect(new Set(names).size).toBe(names.length);
  for (const { method, operation } of operations(document)) {
    expect(['get', 'post', 'put', 'patch', 'delete']).toContain(method);
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z0-9]+$/);
    expect(operation.summary).not.toBe('');
    expect(Object.keys(operation.responses).some((status) => /^2\d\d$/.test(status))).toBe(true);
    for (const [status, { description }] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^[2-5]\d\d$/);
      expect(description).not.toBe('');
    }
    expect(operation.security.length).toBeGreaterThan(0);
    for (const scheme of operation.security.flatMap((each) => Object.keys(each)))
      expect(Object.keys(document.components.securitySchemes)).toContain(scheme);
  }
});

test('parameters of a path are those that stand in it, and all are required', async () => {
  for (const { path, operation } of operations(await printed())) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = operation.parameters.filter((each) => each.in === 'path');
    expect(declared.map(({ name }) => name)).toEqual(inPath);
    expect(declared.every(({ required }) => required)).toBe(true);
    const names = operation.parameters.map((each) => `${each.in} ${each.name}`);
    expect(new Set(names).size).toBe(names.length);
  }
});

test('every schema is one that a checker understands', async () => {
  const document = await printed();
  let count = 0;
  for (const { schema } of objectsIn(document.paths)) {
    if (typeof schema !== 'object' || schema === null || '$ref' in schema) continue;
    expect(() => Compile(schema)).not.toThrow();
    count++;
  }
  expect(count).toBeGreaterThan(5);
});

test('--openapi and --json-schema exclude each other', async () => {
  const { code, process } = await schema('--openapi', '--json-schema');
  expect(code).toBe(2);
  expect(process.complained).toContain('exclude each other');
});
