import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from './audit.js';
import { startSystem, type System, until } from './system.js';

/** An answered create and an answered read of it: what must survive. */
export interface Answered {
  verification: string;
  record: string;
}

/** What is killed with -9: the gateway, its embedded postmaster, or one process of Postgres, after which all of them start anew. */
export type Victim = 'gateway' | 'postmaster' | 'backend';

interface Load {
  readonly answered: Answered[];
  /** Answers that refused, while Postgres was away. */
  readonly refusals: number;
  stop(): Promise<void>;
}

/** Creates verifications and reads them over several connections, until it is stopped or the gateway is gone. */
function startLoad(system: System, name: string): Load {
  const answered: Answered[] = [];
  let refusals = 0;
  const ended = new AbortController();
  const caller = async (at: number): Promise<void> => {
    for (let n = 0; !ended.signal.aborted; n += 1) {
      const created = await system.v1<{ id: string }>('/v1/verifications', {
        body: { workflow: 'onboarding', subject: { reference: `${name}-${at}-${n}`, relationship: 'customer' } },
      });
      if (created.status !== 201) {
        refusals += 1;
        await sleep(20);
        continue;
      }
      answered.push({ verification: created.body.id, record: String(created.headers['gatehouse-record']) });
      const read = await system.v1(`/v1/verifications/${created.body.id}`);
      if (read.status === 200)
        answered.push({ verification: created.body.id, record: String(read.headers['gatehouse-record']) });
    }
  };
  // A connection that breaks is the end of a caller: the gateway was killed.
  const callers = Array.from({ length: 8 }, (_, at) => caller(at).catch(() => undefined));
  return {
    answered,
    get refusals() {
      return refusals;
    },
    stop: async () => {
      ended.abort();
      await Promise.all(callers);
    },
  };
}

/** Puts the gateway under load and kills it, once `enough` calls were answered and `afterMs` more have passed. */
export async function killUnderLoad(system: System, enough: number, name: string, afterMs = 0): Promise<Answered[]> {
  const load = startLoad(system, name);
  await until(() => Promise.resolve(load.answered.length >= enough), 120_000);
  await sleep(afterMs);
  await system.kill();
  await load.stop();
  return load.answered;
}

/** Kills the gateway's Postgres in the same way; the gateway must answer as many calls again by itself. @returns also how long that took. */
export async function killPostgresUnderLoad(
  system: System,
  victim: 'postmaster' | 'backend',
  enough: number,
  name: string,
  afterMs = 0,
): Promise<{ answered: Answered[]; awayMs: number }> {
  const load = startLoad(system, name);
  await until(() => Promise.resolve(load.answered.length >= enough), 120_000);
  await sleep(afterMs);
  process.kill(victim === 'postmaster' ? postmasterOf(system) : await backendOf(system), 'SIGKILL');
  const from = performance.now();
  const before = load.answered.length;
  // The first few may have been on their way when it died.
  await until(() => Promise.resolve(load.answered.length >= before + 16), 60_000);
  const awayMs = Math.round(performance.now() - from);
  await until(() => Promise.resolve(load.answered.length >= before + enough), 60_000);
  await load.stop();
  return { answered: load.answered, awayMs };
}

function postmasterOf(system: System): number {
  const { pid } = JSON.parse(readFileSync(join(system.dataDir, 'postgres.json'), 'utf8')) as { pid: number };
  return pid;
}

/** The one that writes records, now and then at work on a commit. */
function backendOf(system: System): Promise<number> {
  return withClient(system.credentials.databaseUrl, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name IN ('gatehouse-audit', 'gatehouse-sequencer') ORDER BY random() LIMIT 1`,
    );
    return rows[0]?.pid ?? 0;
  });
}

/** Those of the answered calls that the gateway does not know any more. */
export async function lost(system: System, answered: readonly Answered[]): Promise<Answered[]> {
  const missing: Answered[] = [];
  const rest = [...answered];
  const look = async (): Promise<void> => {
    for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
      const read = await system.v1(`/v1/verifications/${one.verification}`);
      const record = await system.admin(`/audit/records/${one.record}`);
      if (read.status !== 200 || record.status !== 200) missing.push(one);
    }
  };
  await Promise.all(Array.from({ length: 8 }, look));
  return missing;
}

/** A system that says nothing: that Postgres is away is no news here. */
export function startQuiet(): Promise<System> {
  return startSystem({ quiet: true });
}

export function restart(system: System): Promise<System> {
  return startSystem({ dataDir: system.dataDir, quiet: true });
}
