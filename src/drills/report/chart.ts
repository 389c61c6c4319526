import type { DrillReport } from './schema.js';

const WIDTH = 920;
const HEIGHT = 240;
const LEFT = 46;
const BOTTOM = 34;
const TOP = 22;

/** What a second's answers were, from the bottom up, with their colours. */
const BANDS = [
  { name: 'fresh', colour: '#2e7d4f' },
  { name: 'fallback', colour: '#3a78b5' },
  { name: 'refused', colour: '#c99a2e' },
  { name: 'failed', colour: '#b23b3b' },
] as const;

/** Answers a second by what they were, with the faults behind them and what happened above them, as one SVG. */
export function timelineChart({ timeline, faults, events }: DrillReport): string {
  const seconds = Math.max(1, ...timeline.map(({ second }) => second + 1));
  const most = Math.max(1, ...timeline.map((row) => BANDS.reduce((sum, { name }) => sum + row[name], 0)));
  const x = (second: number): number => round(LEFT + (second / seconds) * (WIDTH - LEFT - 8));
  const y = (answers: number): number => round(HEIGHT - BOTTOM - (answers / most) * (HEIGHT - BOTTOM - TOP));
  const shades = faults.map(({ fromMs, forMs }) => {
    const [from, to] = [x(fromMs / 1_000), x(Math.min(seconds, forMs === null ? seconds : (fromMs + forMs) / 1_000))];
    return `<rect x="${from}" y="${TOP}" width="${round(to - from)}" height="${HEIGHT - BOTTOM - TOP}" fill="#b23b3b" opacity="0.09"/>`;
  });
  const bars = timeline.flatMap((row) => {
    let below = 0;
    return BANDS.flatMap(({ name, colour }) => {
      const [from, to] = [below, below + row[name]];
      below = to;
      if (from === to) return [];
      const width = round(Math.max(1, x(row.second + 1) - x(row.second) - 2));
      return [
        `<rect x="${x(row.second)}" y="${y(to)}" width="${width}" height="${round(y(from) - y(to))}" fill="${colour}"><title>second ${row.second}: ${row[name]} ${name}</title></rect>`,
      ];
    });
  });
  const ticks = Array.from({ length: seconds + 1 }, (_, second) => second)
    .filter((second) => second % Math.ceil(seconds / 12) === 0)
    .map((second) => `<text x="${x(second)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${second} s</text>`);
  const marks = events
    .filter(({ atMs }) => atMs >= 0 && atMs <= seconds * 1_000)
    .map(
      ({ atMs, what }) =>
        `<line x1="${x(atMs / 1_000)}" x2="${x(atMs / 1_000)}" y1="${TOP - 8}" y2="${HEIGHT - BOTTOM}" stroke="#333" stroke-dasharray="3 3"><title>${escaped(what)}</title></line>`,
    );
  const legend = BANDS.map(
    ({ name, colour }, at) =>
      `<rect x="${LEFT + at * 110}" y="2" width="11" height="11" fill="${colour}"/><text x="${LEFT + 16 + at * 110}" y="12">${name}</text>`,
  );
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Answers a second during the drill">`,
    ...shades,
    ...bars,
    ...marks,
    `<line x1="${LEFT}" x2="${WIDTH - 8}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}" stroke="#333"/>`,
    `<text x="${LEFT - 6}" y="${TOP + 10}" text-anchor="end">${most}</text><text x="${LEFT - 6}" y="${HEIGHT - BOTTOM}" text-anchor="end">0</text>`,
    ...ticks,
    ...legend,
    '</svg>',
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
