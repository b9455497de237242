import { Type } from 'typebox';
import { json, type Route, refusal, refusals, route } from '../http/index.ts';
import type { ApiHouse } from './house.ts';

const ANYBODY = { kind: 'public' } as const;

/** For whoever decides whether this process should live, and whether it should get traffic. */
export function healthRoutes(house: ApiHouse): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/health',
      summary: 'whether the process lives: it answers',
      tag: 'probes',
      access: ANYBODY,
      answer: {
        status: 200,
        summary: 'it lives',
        schema: Type.Object({ status: Type.Literal('ok'), version: Type.String(), uptime: Type.Integer() }),
      },
      run: () =>
        json({
          status: 'ok',
          version: house.product.version,
          uptime: Math.floor(house.statistics.uptime),
        }),
    }),
    route({
      method: 'GET',
      path: '/ready',
      summary: 'whether it should get traffic: not while it starts or stops, nor while spool or memory are full',
      tag: 'probes',
      access: ANYBODY,
      answer: { status: 200, summary: 'it should', schema: Type.Object({ status: Type.Literal('ready') }) },
      refuses: [503],
      run: () => {
        const [first, ...others] = house
          .unready()
          .map((reason) => refusal('1502', reason, { message: 'not ready', headers: { 'retry-after': '5' } }));
        return first === undefined ? json({ status: 'ready' }) : refusals(first, ...others);
      },
    }),
  ];
}
