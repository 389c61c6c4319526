import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, ManualClock } from '../../platform/index.js';
import { openSpecHouse, type SpecHouse } from '../testing/spec-house.js';
import { createWhole } from '../testing/whole-call.js';
import { WorkflowCatalogue } from './workflow-catalogue.js';
import { WorkflowStore } from './workflow-store.js';
import { WorkflowWriter } from './workflow-writer.js';
import { Workflows } from './workflows.js';

const DEFINITION = {
  steps: [{ name: 'a', operation: 'aml', input: { full_name: { value: 'x' } } }],
  outcome: [{ is: 'approved' as const }],
};

describe('WorkflowCatalogue', () => {
  let house: SpecHouse;
  let elsewhere: { catalogue: WorkflowCatalogue; clock: ManualClock };

  beforeAll(async () => {
    house = await openSpecHouse();
    const clock = new ManualClock();
    elsewhere = { catalogue: new WorkflowCatalogue(new WorkflowStore(house.database as Database), clock), clock };
  });
  afterAll(() => house.stop());

  async function publish(name: string): Promise<number> {
    const writer = house.get(WorkflowWriter, { strict: false });
    const row = await house.get(WorkflowStore, { strict: false }).transaction(async (tx) => {
      const draft = await writer.draft(tx, { source: 'file' }, name, DEFINITION);
      return writer.publish(tx, { source: 'file' }, draft);
    });
    return row.version;
  }

  it('has the two that ship, sound and in the words of the settings', async () => {
    const hosted = await elsewhere.catalogue.published('onboarding');
    expect([hosted?.version, hosted?.hosted]).toEqual([1, true]);
    const api = await elsewhere.catalogue.published('onboarding-api');
    expect([api?.version, api?.hosted]).toEqual([1, false]);
    expect(api?.definition.steps.map(({ operation }) => operation)).toEqual([
      'id-verification',
      'passive-liveness',
      'face-match',
      'aml',
    ]);
  });

  it('follows what another instance published within a second, and keeps older versions for what runs on them', async () => {
    await publish('screen');
    elsewhere.clock.advance(1_000);
    expect((await elsewhere.catalogue.published('screen'))?.version).toBe(1);
    await publish('screen');
    elsewhere.clock.advance(999);
    expect((await elsewhere.catalogue.published('screen'))?.version).toBe(1);
    elsewhere.clock.advance(1);
    expect((await elsewhere.catalogue.published('screen'))?.version).toBe(2);
    expect((await elsewhere.catalogue.version('screen', 1)).version).toBe(1);
  });

  it('has one version of a name in force, and none that changes afterwards', async () => {
    await expect(
      house.database.query(
        `UPDATE orchestration.workflows SET state = 'published', retired_at = NULL WHERE name = 'screen'`,
      ),
    ).rejects.toThrow(/workflows_published/);
    await expect(
      house.database.query(`UPDATE orchestration.workflows SET definition = '{}' WHERE name = 'onboarding'`),
    ).rejects.toThrow('a published workflow changes no more');
    await expect(house.database.query('DELETE FROM orchestration.workflows')).rejects.toThrow('permission denied');
  });

  it('knows none that is not published, nor one that no workflow can be called', async () => {
    expect(await elsewhere.catalogue.published('tea')).toBeUndefined();
    const workflows = house.get(Workflows, { strict: false });
    for (const [name, version] of [
      ['tea', '1'],
      ['a\u0000', '1'],
      ['onboarding', '1e3'],
    ] as const)
      await expect(workflows.get(name, version)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('leaves a repeated create to the version that it began with, whatever became of that', async () => {
    const [client, key] = [randomUUID(), randomUUID()];
    const subject = { reference: randomUUID(), relationship: 'customer' } as const;
    house.vendor.fail('session.create', { problem: 'vendor-credentials', outcome: 'unknown', after: true });
    const create = () => createWhole(house, client, key, { workflow: 'onboarding', subject });
    const first = await create();
    expect(first.body).toEqual({ code: 'vendor-credentials' });
    const store = house.get(WorkflowStore, { strict: false });
    await store.transaction(async (tx) => {
      const row = await store.holdPublished(tx, 'onboarding');
      if (row !== undefined) await house.get(WorkflowWriter, { strict: false }).retire(tx, { source: 'file' }, row);
    });
    house.get(WorkflowCatalogue, { strict: false }).forget();
    expect((await createWhole(house, client, randomUUID(), { workflow: 'onboarding', subject })).status).toBe(400);
    expect(await create()).toMatchObject({ status: 201, body: { id: first.call?.verification, status: 'pending' } });
    expect(house.vendor.sessions).toHaveLength(1);
  });
});
