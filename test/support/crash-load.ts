import { startSystem, type System, until } from './system.js';

/** An answered create: what must survive. */
export interface Answered {
  verification: string;
  record: string;
}

/** Creates verifications over several connections until `enough` were answered, then kills the gateway in mid-load. */
export async function killUnderLoad(system: System, enough: number, name: string): Promise<Answered[]> {
  const answered: Answered[] = [];
  const load = { on: true };
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    for (let n = 0; load.on; n += 1) {
      try {
        const created = await system.v1<{ id: string }>('/v1/verifications', {
          body: { workflow: 'onboarding', subject: { reference: `${name}-${caller}-${n}`, relationship: 'customer' } },
        });
        if (created.status === 201)
          answered.push({ verification: created.body.id, record: String(created.headers['gatehouse-record']) });
      } catch {
        return;
      }
    }
  });
  await until(() => Promise.resolve(answered.length >= enough), 120_000);
  await system.kill();
  load.on = false;
  await Promise.all(callers);
  return answered;
}

/** Those of the answered creates that a restarted gateway does not know any more. */
export async function lost(system: System, answered: readonly Answered[]): Promise<Answered[]> {
  const missing: Answered[] = [];
  for (const one of answered) {
    const read = await system.v1(`/v1/verifications/${one.verification}`);
    const record = await system.admin(`/audit/records/${one.record}`);
    if (read.status !== 200 || record.status !== 200) missing.push(one);
  }
  return missing;
}

export function restart(system: System): Promise<System> {
  return startSystem({ dataDir: system.dataDir });
}
