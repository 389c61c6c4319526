import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSpecHouse, REPLY, type SpecHouse } from '../testing/spec-house.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationsController } from '../verifications/verifications.controller.js';
import { RunWorker } from './run-worker.js';

const SETTINGS = `reconciliation: { every: 24h }
workflows:
  runsAtOnce: 4
  definitions:
    screening:
      steps: [{ name: screening, operation: aml, input: { full_name: { value: Ann } } }]
      outcome: [{ when: { step: screening, is: passed }, is: approved }, { is: in-review }]
`;
const FLOOD = 30;

describe('runs of several clients', () => {
  let house: SpecHouse;
  beforeAll(async () => {
    house = await openSpecHouse(SETTINGS);
  });
  afterAll(() => house.stop());

  it('take turns, and no client is at all of them', async () => {
    const controller = house.get(VerificationsController, { strict: false });
    const create = async (client: string): Promise<string> => {
      const subject = { reference: randomUUID(), relationship: 'customer' as const };
      const body: CreateBody = { workflow: 'screening', subject };
      return (await controller.create(await house.write(client, randomUUID(), body), body, REPLY)).id;
    };
    const held: (() => void)[] = [];
    house.vendor.before = () => new Promise((resolve) => held.push(resolve));
    const [flood, other] = [randomUUID(), randomUUID()];
    for (let n = 0; n < FLOOD; n += 1) await create(flood);
    await vi.waitFor(() => expect(held.length).toBe(3));
    await house.get(RunWorker, { strict: false }).sweep();
    expect(held.length).toBe(3);
    const late = [await create(other), await create(other)];
    // One has the place that was kept free, and the other the next.
    await vi.waitFor(() => expect(held.length).toBe(4));
    held.shift()?.();
    await vi.waitFor(() => expect(held.length).toBe(4));
    for (const release of held.splice(1)) release();
    const read = (id: string) => controller.read(house.call(other), id, REPLY);
    await vi.waitFor(async () => {
      for (const release of held.splice(1)) release();
      for (const id of late) expect((await read(id)).status).toBe('approved');
    });
    const ended = await house.database.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM orchestration.workflow_runs WHERE client_id = $1 AND wake_at IS NULL`,
      [flood],
    );
    expect(ended[0]?.n).toBeLessThan(FLOOD / 2);
    house.vendor.before = undefined;
    for (const release of held) release();
  });
});
