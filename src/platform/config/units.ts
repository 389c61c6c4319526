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

interface Bounds {
  least: string;
  most?: string;
}

function measured(units: Record<string, number>, what: string, { least, most }: Bounds) {
  const pattern = new RegExp(`^(\\d{1,9})\\s*(${Object.keys(units).join('|')})$`, 'i');
  const read = (text: string): number => {
    const [, amount = '0', unit = ''] = pattern.exec(text) ?? [];
    return Number(amount) * (units[unit.toLowerCase()] ?? 1);
  };
  return z
    .string()
    .regex(pattern, { error: `must be ${what}`, abort: true })
    .refine((text) => read(text) >= read(least), { error: `must be at least ${least}` })
    .refine((text) => most === undefined || read(text) <= read(most), { error: `must be at most ${most ?? ''}` })
    .transform(read);
}

const DURATION = 'a duration such as 500ms, 30s, 5m or 24h';

/** A length of time, such as `500ms`, `30s`, `5m`, `24h`; in milliseconds once read. What may be nothing at all says so with `0s`. */
export const duration = (least = '1ms', most?: string) =>
  measured(DURATION_MS, DURATION, most === undefined ? { least } : { least, most });

/** A length of time that a timer runs for: one of Node.js that is asked for more than 2^31 - 1 ms (24.8 days) fires at once. */
export const timer = (least = '1ms') => measured(DURATION_MS, DURATION, { least, most: '24d' });

/** A size, such as `32kb` or `1mb`; in bytes once read. */
export const size = (least = '1b') => measured(SIZE_BYTES, 'a size such as 32kb or 1mb', { least });

/** A rate, such as `600/min`. */
export const rate = () =>
  z
    .string()
    .regex(/^0*[1-9]\d{0,6}\/(s|sec|min|h|hour|day)$/, { error: 'must be a rate such as 10/s, 600/min or 1000/hour' })
    .transform((text): Rate => {
      const [limit = '0', window = 'min'] = text.split('/');
      return { limit: Number(limit), windowMs: RATE_WINDOW_MS[window] ?? 60_000 };
    });
