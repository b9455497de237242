/** Plots as SVG, without a library: bars in groups, and lines. */

export interface Bars {
  readonly title: string;
  readonly unit: string;
  /** One group on the x axis each; values by series, undefined where there is none. */
  readonly groups: readonly { readonly label: string; readonly values: readonly (number | undefined)[] }[];
  readonly series: readonly string[];
}

export interface Lines {
  readonly title: string;
  readonly xUnit: string;
  readonly yUnit: string;
  readonly series: readonly { readonly label: string; readonly points: readonly (readonly [number, number])[] }[];
  /** Marks of the x axis; round numbers when there are none. */
  readonly marks?: readonly { readonly at: number; readonly label: string }[];
}

const WIDTH = 760;
const HEIGHT = 340;
const LEFT = 64;
const RIGHT = 20;
const TOP = 64;
const BOTTOM = 44;
const COLOURS = ['#1f6feb', '#e5821a', '#5b8c3a', '#a04bb5', '#c2413b', '#4a5568'] as const;

export function bars({ title, unit, groups, series }: Bars): string {
  const scale = scaleTo(Math.max(0, ...groups.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, groups.length);
  const width = Math.min(56, (slot * 0.8) / Math.max(1, series.length));
  const parts = groups.flatMap(({ label, values }, group) => {
    const middle = LEFT + slot * (group + 0.5);
    const first = middle - (width * series.length) / 2;
    return [
      words(middle, HEIGHT - BOTTOM + 18, label),
      ...values.flatMap((value, index) => {
        if (value === undefined) return [];
        const top = y(value, scale.most);
        const x = first + width * index;
        return [
          `<rect x="${n(x)}" y="${n(top)}" width="${n(width - 3)}" height="${n(y(0, scale.most) - top)}" rx="1.5" fill="${colour(index)}"/>`,
          words(x + (width - 3) / 2, top - 5, short(value), 'class="value"'),
        ];
      }),
    ];
  });
  return drawing(title, unit, scale, series, parts);
}

export function lines({ title, xUnit, yUnit, series, marks }: Lines): string {
  const all = series.flatMap(({ points }) => points);
  const scale = scaleTo(Math.max(0, ...all.map(([, value]) => value)));
  const across = scaleTo(Math.max(0, ...all.map(([at]) => at), ...(marks ?? []).map(({ at }) => at)));
  const most = marks === undefined ? across.most : Math.max(...marks.map(({ at }) => at));
  const x = (at: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * at) / (most || 1);
  const shown = marks ?? across.steps.map((at) => ({ at, label: short(at) }));
  const parts = [
    ...shown.map(({ at, label }) => words(x(at), HEIGHT - BOTTOM + 18, label)),
    words(WIDTH - RIGHT, HEIGHT - 8, xUnit, 'text-anchor="end"'),
    ...series.map(({ points }, index) => {
      const path = points
        .map(([at, value], i) => `${i === 0 ? 'M' : 'L'}${n(x(at))} ${n(y(value, scale.most))}`)
        .join('');
      return `<path d="${path}" fill="none" stroke="${colour(index)}" stroke-width="2" stroke-linejoin="round"/>`;
    }),
  ];
  return drawing(
    title,
    yUnit,
    scale,
    series.map(({ label }) => label),
    parts,
  );
}

interface Scale {
  readonly most: number;
  readonly steps: readonly number[];
}

/** @returns four to eight round steps from 0 to at least `value` */
export function scaleTo(value: number): Scale {
  if (!(value > 0)) return { most: 1, steps: [0, 1] };
  const rough = value / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? 10 * power;
  const count = Math.ceil(value / step - 1e-9);
  return { most: count * step, steps: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

function drawing(
  title: string,
  unit: string,
  scale: Scale,
  series: readonly string[],
  parts: readonly string[],
): string {
  const grid = scale.steps.flatMap((step) => {
    const at = y(step, scale.most);
    return [
      `<path d="M${LEFT} ${n(at)}H${WIDTH - RIGHT}" stroke="${step === 0 ? '#57606a' : '#d8dee4'}"/>`,
      words(LEFT - 8, at + 4, short(step), 'text-anchor="end"'),
    ];
  });
  let right = LEFT;
  const legend = series.flatMap((label, index) => {
    const at = right;
    right += 30 + label.length * 7;
    return [
      `<rect x="${at}" y="36" width="11" height="11" rx="2" fill="${colour(index)}"/>`,
      words(at + 16, 46, label, 'text-anchor="start"'),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" text-anchor="middle" aria-label="${escaped(title)}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#24292f}.value{font-size:11px;fill:#57606a}</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    words(LEFT, 22, title, 'text-anchor="start" style="font-size:14px;font-weight:bold"'),
    words(WIDTH - RIGHT, 46, unit, 'text-anchor="end"'),
    ...legend,
    ...grid,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

const y = (value: number, most: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value) / most;
const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? COLOURS[0];
const n = (value: number): string => String(Math.round(value * 10) / 10);

/** Three figures, and no more zeros than needed: 12,300, 0.123, 5. */
export function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US', { maximumSignificantDigits: 3 });
  return String(Number(value.toPrecision(3)));
}

/** @param more  attributes */
const words = (x: number, at: number, text: string, more = ''): string =>
  `<text x="${n(x)}" y="${n(at)}"${more === '' ? '' : ` ${more}`}>${escaped(text)}</text>`;

const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
