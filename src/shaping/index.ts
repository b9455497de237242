/** May I, and if not, when? Caps, throttles and suspensions, without any message in sight. */
export * from './gates.ts';
export * from './cap.ts';
export * from './throttle.ts';
export * from './goal.ts';
export * from './options.ts';
export * from './shaping.ts';
export * from './pair-limits.ts';
export * from './because.ts';
