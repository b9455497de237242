import { type Generation, optional, ownOption, type Place, text } from '../config/index.ts';
import type { Envelope } from '../message/index.ts';
import { type Reply, reply } from '../smtp/index.ts';
import { Trouble } from './trouble.ts';

export const sandboxBinding = ownOption('sandbox_binding', optional(text), {
  scopes: ['global'],
  initial: undefined,
  summary: 'binding that transmissions with options.sandbox leave by, to a sink; without it they are refused',
});

/** In the message context of mail that must go to the sink and nowhere else. */
export const SANDBOX = 'sandbox';

type Bindings = Pick<Generation, 'bindings' | 'global'>;

/** @returns the binding for mail that is only tried. @throws Trouble 1603 */
export function sandboxOf(generation: Bindings): string {
  const name = generation.global.get(sandboxBinding);
  if (name === undefined)
    throw new Trouble('1603', 'options.sandbox: this server has no sandbox (its operator sets Sandbox_Binding)');
  if (!isBinding(generation, name)) throw new Trouble('1603', `options.sandbox: there is no binding ${name}`);
  return name;
}

export const isBinding = (generation: Pick<Generation, 'bindings'>, binding: string): boolean =>
  generation.bindings().some(({ name }) => name === binding);

/**
 * Mail whose binding is configured no more goes out by the default one when it comes back at a start; mail that was only
 * to be tried must not.
 *
 * @returns what it ends with; undefined: it goes its way
 */
export function sandboxVerdict({ protocol, context, recipients }: Envelope, generation: Bindings): Reply | undefined {
  if (
    protocol !== 'rest' ||
    context.message[SANDBOX] === undefined ||
    recipients.every(({ binding }) => isBinding(generation, binding))
  )
    return undefined;
  return reply(554, '5.3.5', '[internal] the binding of the sandbox is configured no more');
}

/** A name that leads nowhere stops nothing but what is sent to it. */
export function sandboxNotes(
  generation: Bindings & Pick<Generation, 'settings'>,
): readonly { readonly place: Place; readonly text: string }[] {
  const name = generation.global.get(sandboxBinding);
  const place = generation.settings([sandboxBinding])[0]?.placeOf(sandboxBinding);
  if (name === undefined || place === undefined || isBinding(generation, name)) return [];
  return [{ place, text: `Sandbox_Binding = ${name}: there is no such binding, and options.sandbox is refused` }];
}
