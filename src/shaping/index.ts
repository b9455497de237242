/** May I, and if not, when? Caps, throttles and suspensions, without any message in sight. */

export * from './because.ts';
export * from './cap.ts';
export * from './gates.ts';
export * from './goal.ts';
export * from './options.ts';
export * from './pair-limits.ts';
export * from './shaping.ts';
export * from './throttle.ts';
