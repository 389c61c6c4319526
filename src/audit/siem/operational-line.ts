import type { Clock } from '../../platform/index.js';
import type { ShippedLine } from './sink.js';

const SEVERITIES = new Map<unknown, ShippedLine['severity']>([
  ['warn', 'medium'],
  ['error', 'high'],
]);

/** A line of the operational log as it is shipped. Its id goes into the text too, for receivers that keep nothing else. */
export function operationalLine(id: string, text: string, clock: Clock): ShippedLine {
  const { time, level } = members(text);
  const atMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return {
    id,
    atMs: Number.isNaN(atMs) ? clock.epochMs() : atMs,
    severity: SEVERITIES.get(level) ?? 'info',
    text: text.startsWith('{"') ? `{"uid":${JSON.stringify(id)},${text.slice(1)}` : text,
  };
}

/** What stands in place of lines that are gone. */
export function lostLines(count: number, clock: Clock): string {
  const msg = 'lines of the operational log were lost before they were shipped';
  return JSON.stringify({ level: 'warn', time: clock.now().toISOString(), count, msg });
}

function members(text: string): { time?: unknown; level?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
