import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuditLog, CallWriter } from '../audit/index.js';
import { type Answer, Database } from '../platform/index.js';
import { AuditedCommit } from './call-commit.js';
import { Housekeeping } from './housekeeping.js';
import { LEASE_MS } from './idempotency/leases.js';
import { openSpecHouse, type SpecHouse } from './testing/spec-house.js';

const answer: Answer = { status: 201, headers: { 'content-type': 'application/json' }, body: '{}', bytesOut: 2 };

describe('AuditedCommit', () => {
  let house: SpecHouse;
  let commit: AuditedCommit;
  const client = randomUUID();

  beforeAll(async () => {
    house = await openSpecHouse();
    commit = house.get(AuditedCommit, { strict: false });
  });
  afterAll(() => house.stop());
  afterEach(() => vi.restoreAllMocks());

  it('makes the record durable, and opens no transaction for a call without a key', async () => {
    const transaction = vi.spyOn(house.get(Database, { strict: false }), 'transaction');
    const call = Object.assign(house.call(client), { verification: randomUUID() });
    await commit.commit(call, answer);
    expect(await house.records(call.verification)).toMatchObject([
      { id: call.id, kind: 'call', http: { status: 201 } },
    ]);
    expect(transaction).not.toHaveBeenCalled();
  });

  it('keeps answer and record together, or neither', async () => {
    const verification = randomUUID();
    const call = Object.assign(await house.write(client, 'k', {}), { verification });
    const log = vi.spyOn(house.get(AuditLog, { strict: false }), 'appendIn').mockRejectedValueOnce(new Error('down'));
    await expect(commit.commit(call, answer)).rejects.toThrow('down');
    expect(log).toHaveBeenCalledOnce();
    expect(await house.records(verification)).toEqual([]);
    commit.refused(call, { ...answer, status: 503 });
    house.clock.advance(LEASE_MS);
    const again = Object.assign(await house.write(client, 'k', {}), { verification });
    expect(again.idempotency?.id).toBe(call.idempotency?.id);
    await commit.commit(again, answer);
    expect(await house.records(verification)).toMatchObject([{ id: again.id, kind: 'call' }]);
    await expect(house.write(client, 'k', {})).rejects.toMatchObject({ status: 201, name: 'ReplayedAnswer' });
  });

  it('hands a refusal for want of the log to the journal', () => {
    const refused = vi.spyOn(house.get(CallWriter, { strict: false }), 'refused').mockReturnValue();
    const call = house.call(client);
    commit.refused(call, { ...answer, status: 503 });
    expect(refused).toHaveBeenCalledWith(call, { ...answer, status: 503 });
  });

  it('leaves nothing of an answer whose time is over', async () => {
    await commit.commit(await house.write(client, 'old', {}), answer);
    house.clock.advance(25 * 3_600_000);
    await house.get(Housekeeping, { strict: false }).sweep();
    const [left] = await house.database.query<{ keys: string; answers: string }>(
      `SELECT (SELECT count(*) FROM orchestration.idempotency) AS keys,
              (SELECT count(*) FROM platform.vault WHERE owner = $1) AS answers`,
      [`client:${client}`],
    );
    expect(left).toEqual({ keys: '0', answers: '0' });
  });
});
