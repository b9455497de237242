/** Numbers and names that must not be mixed up. Only the functions below, and each kind's parser, make one. */
declare const unit: unique symbol;

/** Milliseconds, either on the clock's own scale (`Clock.now`) or since the epoch (`Clock.date`). */
export type Millis = number & { readonly [unit]: 'ms' };
/** Whole or broken seconds; every duration of the configuration has this unit. */
export type Seconds = number & { readonly [unit]: 's' };
/** A routing domain: lower case, no trailing dot, A-labels. */
export type Domain = string & { readonly [unit]: 'domain' };
/** The name of a binding, as written in the configuration (case matters). */
export type BindingName = string & { readonly [unit]: 'binding' };

export const millis = (value: number): Millis => value as Millis;
export const seconds = (value: number): Seconds => value as Seconds;
export const inMillis = (value: Seconds): Millis => (value * 1000) as Millis;
export const inSeconds = (value: Millis): Seconds => (value / 1000) as Seconds;
export const bindingName = (value: string): BindingName => value as BindingName;
