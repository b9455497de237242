import { type ConfigError, ConfigErrors } from '../errors.ts';
import { BUILT_IN } from '../schema/declare.ts';
import type { Schema } from '../schema/schema.ts';
import { parse } from '../text/grammar.ts';
import { type Findings, merge } from './merge.ts';
import { emptyStanza, ROOT_STEP, type Stanza } from './stanza.ts';

/**
 * The settings of an empty configuration, which files override and nobody can unset: Momentum's thread pools. (Its
 * other implicit settings, of Debug_Flags and TimestampFormat, are the defaults of their options.)
 *
 * @see manual pages threadpool, config
 */
export function implicitTree(schema: Schema): Stanza {
  const errors: ConfigError[] = [];
  const findings: Findings = { errors, notices: [] };
  const items = parse(POOLS, BUILT_IN.file, errors);
  const root = merge({
    base: emptyStanza(undefined, ROOT_STEP, BUILT_IN),
    items,
    included: new Map(),
    schema,
    findings,
  });
  if (errors.length > 0) throw new ConfigErrors(errors);
  return root;
}

const POOLS = `
ThreadPool "SwapOut" { Concurrency = 5 }
ThreadPool "SwapIn" { Concurrency = 5 }
ThreadPool "Unlink" { Concurrency = 6 Backlog = 100 }
ThreadPool "Batch_Unlink" { Concurrency = 4 }
ThreadPool "Close" { Concurrency = 0 }
ThreadPool "CPU" { Concurrency = 4 }
ThreadPool "IO" { Concurrency = 50 }
ThreadPool "SpoolIn" { Concurrency = 1 }
`;
