import { Chance } from './chance.ts';
import { core, mostVisits, type Point, points } from './points.ts';

/** How one round ends: at a visit of a point, or at a moment of the clock. */
export type Plan =
  | { readonly kind: 'point'; readonly point: Point; readonly visit: number }
  | { readonly kind: 'moment'; readonly afterMillis: number };

/** One round in so many ends at a moment of the clock. */
const MOMENTS = 4;
/** Latest moment, counted from the first session of the round. */
const LATEST_MILLIS = 900;

/**
 * The plan of a round, which depends on nothing but seed and number: any round can be run again by itself. All points
 * come by before one comes again: in the first pass those at the core first, else in an order that differs from seed to
 * seed and from pass to pass.
 */
export function planOf(seed: number, round: number): Plan {
  const chance = new Chance(seed, round);
  if (round % MOMENTS === 0) return { kind: 'moment', afterMillis: 20 + chance.below(LATEST_MILLIS) };
  const turn = round - Math.floor(round / MOMENTS) - 1;
  const pass = Math.floor(turn / points.length);
  const shuffled = new Chance(seed, pass, points.length).shuffled(points);
  const order = pass > 0 ? shuffled : [...core, ...shuffled.filter((point) => !core.includes(point))];
  const point = order[turn % points.length]!;
  return { kind: 'point', point, visit: 1 + chance.below(mostVisits(point)) };
}

/** What a table calls it. */
export const nameOf = (plan: Plan): string => (plan.kind === 'point' ? plan.point : 'any moment');

export function inWords(plan: Plan): string {
  return plan.kind === 'point' ? `${plan.point}, visit ${plan.visit}` : `${plan.afterMillis} ms into the load`;
}
