import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '../support/audit.js';
import { type Member, Pair } from '../support/pair.js';
import { startSystem, type System, until, WIDE_BUDGET, WIDE_RATES } from '../support/system.js';

const SETTINGS = `${WIDE_RATES}
vendors: { didit: { timeouts: { read: 2s, write: 2s, check: 2s, connect: 1s }, ${WIDE_BUDGET} } }
fallback: { pace: 1000/s }
workflows:
  definitions:
    screening:
      steps: [{ name: screening, operation: aml, input: { full_name: { value: Ann } }, retry: { count: 5 } }]
      outcome: [{ when: { step: screening, is: passed }, is: approved }, { is: in-review }]
`;
const QUEUED = 24;
const RUNS = 24;
/** So slow that the one that is killed is in the middle of one. */
const SLOW_MS = 200;

interface Sent {
  vendorData: string | null;
  sessionId: string | null;
}

describe('a queue and runs that two instances drain', () => {
  let vendor: System;
  let pair: Pair;

  beforeAll(async () => {
    vendor = await startSystem();
    pair = await Pair.open(vendor.credentials, SETTINGS);
    await pair.members[0].start();
  });
  afterAll(async () => {
    await pair.close();
    await vendor.stop();
  });

  const fault = (body: object) => vendor.sandbox('faults', { body });
  const heal = () => vendor.sandbox('faults', { method: 'DELETE' });
  /** By every create that the vendor has done, in their order. */
  const sessionsMade = async (): Promise<Sent[]> => {
    const { items } = (await vendor.sandbox<{ items: Sent[] }>('ledger?operation=session.create')).body;
    return items.filter(({ sessionId }) => sessionId !== null);
  };
  const create = async (by: Member, workflow: string, reference: string): Promise<string> => {
    const body = { workflow, subject: { reference, relationship: 'customer' } };
    const made = await pair.v1(by, '/verifications', { body, headers: { 'idempotency-key': randomUUID() } });
    expect([201, 202]).toContain(made.status);
    return String(made.body['id']);
  };
  const sql = <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
    withClient(pair.databaseUrl, async (client) => (await client.query<T>(text, values)).rows);
  const dutyHolder = async () =>
    (await sql<{ holder: string }>(`SELECT holder FROM orchestration.duties WHERE name = 'fallback.queue'`))[0]?.holder;
  /** How often each event happened to each verification. */
  const moves = (event: string, ids: readonly string[]) =>
    sql<{ id: string; n: number }>(
      `SELECT r ->> 'verification' AS id, count(*)::integer AS n
         FROM (SELECT convert_from(bytes, 'UTF8')::json AS r FROM audit.log
               UNION ALL SELECT convert_from(bytes, 'UTF8')::json FROM audit.intake) records
        WHERE r ->> 'kind' = 'verification.transition' AND r -> 'detail' ->> 'event' = $1 AND r ->> 'verification' = ANY($2)
        GROUP BY 1 ORDER BY 1`,
      [event, ids],
    );
  const oncePerId = (ids: readonly string[]) => ids.toSorted().map((id) => ({ id, n: 1 }));

  it('lose nothing and do nothing twice when the one that holds the duty is killed', async () => {
    const [first, second] = pair.members;
    await fault({ kind: 'down', operations: ['session.create'] });
    const references = Array.from({ length: QUEUED }, (_, n) => `queued-${n}`);
    const queued: string[] = [];
    for (const reference of references) queued.push(await create(first, 'onboarding', reference));
    // The one instance that there is has taken the duty.
    const holder = await until(dutyHolder);
    await second.start();
    await heal();
    await fault({ kind: 'slow', ms: SLOW_MS });
    const runs = await Promise.all(
      Array.from({ length: RUNS }, (_, n) => create(n % 2 === 0 ? first : second, 'screening', `run-${n}`)),
    );
    await until(async () => (await sessionsMade()).length > 3);
    expect(await dutyHolder()).toBe(holder);
    await first.end('SIGKILL');
    await until(async () => {
      const [open] = await sql<{ n: number }>(
        `SELECT count(*)::integer AS n FROM orchestration.verifications
          WHERE status = 'queued' OR (status = 'in-progress' AND NOT hosted)`,
      );
      return open?.n === 0;
    }, 60_000);
    expect(await dutyHolder()).not.toBe(holder);

    const made = await sessionsMade();
    expect(made.map(({ vendorData }) => vendorData?.split(':')[1])).toEqual(references);
    const rows = await sql<{ status: string; session_id: string | null }>(
      'SELECT status, session_id FROM orchestration.verifications WHERE id = ANY($1) ORDER BY id',
      [queued],
    );
    expect(rows).toEqual(made.map(({ sessionId }) => ({ status: 'pending', session_id: sessionId })));
    expect(await moves('session.attached', queued)).toEqual(oncePerId(queued));

    const ends = await sql<{ status: string; n: number }>(
      'SELECT status, count(*)::integer AS n FROM orchestration.verifications WHERE id = ANY($1) GROUP BY status',
      [runs],
    );
    expect(ends).toEqual([{ status: 'approved', n: RUNS }]);
    expect(await moves('run.approved', runs)).toEqual(oncePerId(runs));
    expect(await moves('answered.passed', runs)).toEqual(oncePerId(runs));
    const verdict = JSON.parse(pair.cli('verify', '--json').stdout.trim().split('\n').at(-1) ?? '{}') as object;
    expect(verdict).toMatchObject({ ok: true });
  });
});
