import { z } from 'zod';

const DURATION_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_BYTES: Record<string, number> = { b: 1, kb: 1024, mb: 1024 * 1024 };
const RATE_WINDOW_MS: Record<string, number> = {
  s: 1_000,
  sec: 1_000,
  min: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  day: 86_400_000,
};

export interface Rate {
  limit: number;
  windowMs: number;
}

function measured(units: Record<string, number>, what: string) {
  const pattern = new RegExp(`^(\\d{1,9})\\s*(${Object.keys(units).join('|')})$`, 'i');
  return z
    .string()
    .regex(pattern, { error: `must be ${what}` })
    .transform((text) => {
      const [, amount = '0', unit = ''] = pattern.exec(text) ?? [];
      return Number(amount) * (units[unit.toLowerCase()] ?? 1);
    });
}

/** A length of time, such as `500ms`, `30s`, `5m`, `24h`; in milliseconds once read. */
export const duration = () => measured(DURATION_MS, 'a duration such as 500ms, 30s, 5m or 24h');

/** A size, such as `32kb` or `1mb`; in bytes once read. */
export const size = () => measured(SIZE_BYTES, 'a size such as 32kb or 1mb');

/** A rate, such as `600/min`. */
export const rate = () =>
  z
    .string()
    .regex(/^\d{1,7}\/(s|sec|min|h|hour|day)$/, { error: 'must be a rate such as 10/s, 600/min or 1000/hour' })
    .transform((text): Rate => {
      const [limit = '0', window = 'min'] = text.split('/');
      return { limit: Number(limit), windowMs: RATE_WINDOW_MS[window] ?? 60_000 };
    });
