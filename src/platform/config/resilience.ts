import { z } from 'zod';
import { rate, timer } from './units.js';

const share = () => z.number().min(0).max(1);
const threshold = () => z.number().gt(0).max(1);

/** What opens and closes the breakers before a vendor. */
export const breaker = z.strictObject({
  window: timer('10ms').prefault('10s').meta({ description: 'Sliding time that the ratios are taken over.' }),
  minimumCalls: z.int().min(2).max(10_000).default(10).meta({
    description: 'Attempts in the window below which no ratio is judged; as many failures in a row open at once.',
  }),
  failureRatio: threshold().default(0.5).meta({ description: 'Share of failed attempts at which a breaker opens.' }),
  slowRatio: threshold()
    .default(0.8)
    .meta({ description: 'Share of slow attempts, failed ones among them, at which it opens.' }),
  slow: z
    .strictObject({
      read: timer('10ms').prefault('3s').meta({ description: 'From when on a read is slow.' }),
      write: timer('10ms').prefault('5s').meta({ description: 'From when on a create or change is slow.' }),
      check: timer('10ms')
        .prefault('30s')
        .meta({ description: 'From when on a check of faces or documents, or a PDF, is slow.' }),
      code: timer('10ms').prefault('10s').meta({ description: 'From when on the sending of a one-time code is slow.' }),
      document: timer('10ms').prefault('45s').meta({ description: 'From when on a proof of address is slow.' }),
      screening: timer('10ms').prefault('60s').meta({ description: 'From when on a screening is slow.' }),
      registry: timer('10ms').prefault('45s').meta({ description: 'From when on a registry is slow.' }),
    })
    .prefault({}),
  open: timer('10ms').prefault('1s').meta({ description: 'How long it stays open first; doubled each further time.' }),
  longestOpen: timer('10ms')
    .prefault('5s')
    .meta({ description: 'Longest time that it stays open before it lets probes through.' }),
  probes: z
    .int()
    .min(1)
    .max(100)
    .default(2)
    .meta({ description: 'Attempts let through at a time while half open; so many good ones close it.' }),
  probeEvery: timer('10ms')
    .prefault('3s')
    .meta({ description: 'After so long without an answer a probe makes room for another one.' }),
});

/** What is sent to a vendor again by the gateway itself. */
export const retries = z.strictObject({
  most: z
    .int()
    .min(0)
    .max(10)
    .default(2)
    .meta({ description: 'Repeats of one call, if it is safe to repeat; 0 turns them off.' }),
  firstDelay: timer('10ms').prefault('100ms').meta({ description: 'Median wait before the first repeat; it doubles.' }),
  longestDelay: timer('10ms')
    .prefault('2s')
    .meta({ description: 'Longest wait, unless the vendor’s Retry-After is longer.' }),
  share: share().default(0.2).meta({ description: 'Repeats as a share of calls, over all clients.' }),
  burst: z
    .int()
    .min(0)
    .max(1_000)
    .default(10)
    .meta({ description: 'Repeats that may be made beyond that share at once.' }),
});

const lane = (calls: number, what: string) =>
  z
    .int()
    .min(1)
    .max(1_024)
    .default(calls)
    .meta({ description: `${what} under way at once.` });

/** How many calls to a vendor are under way, by class. */
export const bulkhead = z.strictObject({
  read: lane(32, 'Reads'),
  write: lane(16, 'Creates and changes'),
  check: lane(16, 'Standalone checks and PDFs'),
  queue: z
    .int()
    .min(0)
    .max(10_000)
    .default(128)
    .meta({ description: 'Calls of each class that may wait for their turn.' }),
  longestWait: timer('10ms')
    .prefault('2s')
    .meta({ description: 'How long one waits at most; then it is answered 503.' }),
});

/** What the vendor allows a key, and how it is shared out. */
export const budget = z.strictObject({
  writes: rate().prefault('300/min').meta({ description: 'Writes that the vendor allows a key.' }),
  reads: rate().prefault('600/min').meta({ description: 'Reads that the vendor allows a key.' }),
  pdfs: rate()
    .prefault('50/min')
    .meta({ description: 'Reports in PDF that the vendor allows a key, beside the reads.' }),
  longestWait: timer('10ms')
    .prefault('2s')
    .meta({ description: 'How long a client over its share waits at most; then it is answered 429.' }),
  queue: z.int().min(0).max(10_000).default(64).meta({ description: 'Calls of one client that may wait so.' }),
  reserve: share()
    .default(0.1)
    .meta({ description: 'Share that is lent to nobody, so that who comes next need not wait for the window.' }),
  background: share().default(0.05).meta({ description: 'Share of the gateway’s own work.' }),
});
