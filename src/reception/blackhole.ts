import type { BindingName, Domain } from '../base/index.ts';
import type { Generation } from '../config/index.ts';
import { blackhole } from './options.ts';

/** Whether mail for a domain is refused at the door; `internal` is the queue's. @param binding that is to deliver it */
export function isBlackholed(generation: Generation, binding: BindingName, domain: Domain): boolean {
  const value = generation.sending(generation.groupOf(binding), binding, domain).get(blackhole);
  return value === 'inline' || value === 'true';
}
