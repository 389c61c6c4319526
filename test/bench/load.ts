import { Pool } from 'undici';

export interface Request {
  path: string;
  method: 'GET' | 'POST';
  headers: () => Record<string, string>;
  body?: () => string;
}

export interface Run {
  requests: number;
  seconds: number;
  /** Milliseconds, sorted. */
  latencies: number[];
  bytes: number;
}

const CONNECTIONS = 32;

/** Calls one origin: as fast as it answers, or at a fixed rate. An answer of another status than expected ends the run. */
export class Load {
  readonly #pool: Pool;

  constructor(
    origin: string,
    ca: Buffer,
    private readonly request: Request,
    private readonly expected: number,
  ) {
    this.#pool = new Pool(origin, { connections: CONNECTIONS, connect: { ca } });
  }

  async once(): Promise<Buffer> {
    const { path, method, headers, body } = this.request;
    const answer = await this.#pool.request({ path, method, headers: headers(), body: body?.() ?? null });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode !== this.expected)
      throw new Error(`${method} ${path} answered ${answer.statusCode}: ${bytes.toString().slice(0, 300)}`);
    return bytes;
  }

  /** Closed loop over all connections. */
  async flatOut(seconds: number): Promise<Run> {
    const end = performance.now() + seconds * 1_000;
    const run: Run = { requests: 0, seconds: 0, latencies: [], bytes: 0 };
    const started = performance.now();
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        while (performance.now() < end) await this.timed(run);
      }),
    );
    run.seconds = (performance.now() - started) / 1_000;
    return run;
  }

  /** Open loop: calls leave on time whether or not earlier ones came back, and latency counts from when each was due. */
  async atRate(perSecond: number, seconds: number): Promise<Run> {
    const run: Run = { requests: 0, seconds, latencies: [], bytes: 0 };
    const started = performance.now();
    const total = Math.floor(perSecond * seconds);
    const pending = new Set<Promise<void>>();
    for (let n = 0; n < total;) {
      const due = Math.min(total, Math.floor(((performance.now() - started) / 1_000) * perSecond) + 1);
      for (; n < due; n += 1) {
        const call = this.timed(run, started + (n / perSecond) * 1_000).finally(() => pending.delete(call));
        pending.add(call);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(pending);
    run.latencies.sort((a, b) => a - b);
    return run;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  private async timed(run: Run, from = performance.now()): Promise<void> {
    const bytes = await this.once();
    run.latencies.push(performance.now() - from);
    run.bytes += bytes.length;
    run.requests += 1;
  }
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
