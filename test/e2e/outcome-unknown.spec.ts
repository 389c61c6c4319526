import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSystem, type System, until, WIDE_BUDGET, WIDE_RATES } from '../support/system.js';
import { verify } from '../support/verify.js';

interface Found {
  record: { id: string; kind: string; call?: string; verification?: string; client?: string; detail?: object };
}

/** Deadlines so short that an intent is soon older than any call. */
const SHORT = `${WIDE_RATES}
listeners: { connections: { headersTimeout: 900ms, requestTimeout: 900ms } }
vendors: { didit: { timeouts: { read: 1s, write: 1s, check: 1s }, ${WIDE_BUDGET} } }
audit: { intentPatience: 4s }
`;

describe('kill -9 of the gateway while the vendor works on a change', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  const records = async (kind: string): Promise<Found['record'][]> =>
    (await system.admin<{ items: Found[] }>(`/audit/records?kind=${kind}`)).body.items.map(({ record }) => record);

  it('leaves intents without completion, which the next start finds and closes once each', async () => {
    await system.sandbox('faults', { body: { kind: 'stall', when: 'after', operations: ['session.create'] } });
    const cutOff = Promise.allSettled([
      system.v1('/v1/verifications', {
        body: { workflow: 'onboarding', subject: { reference: 'cut-off', relationship: 'customer' } },
      }),
      system.didit('session/', {
        body: { workflow_id: system.credentials.diditWorkflowId, vendor_data: 'cut-off-drop-in' },
      }),
    ]);
    const intents = await until(async () => {
      const found = [...(await records('vendor.intent')), ...(await records('call.intent'))];
      return found.length === 2 && found;
    });
    await system.kill();
    await cutOff;
    system = await startSystem({ dataDir: system.dataDir, yaml: SHORT });
    const closed = await until(async () => {
      const found = await records('call.outcome-unknown');
      return found.length >= 2 && found;
    });
    const expected = intents.map(({ id, call, client }) => ({ intent: id, call, client }));
    const told = closed.map(({ call, client, detail }) => ({
      intent: (detail as { intent: string }).intent,
      call,
      client,
    }));
    expect(told).toHaveLength(2);
    expect(told).toEqual(expect.arrayContaining(expected));
    expect(closed.map(({ detail }) => detail)).toEqual([
      expect.objectContaining({ operation: 'session.create' }),
      expect.objectContaining({ operation: 'session.create' }),
    ]);
    expect(closed.some(({ verification }) => verification !== undefined)).toBe(true);
    const { text } = await system.call(`${system.credentials.adminUrl}/metrics`, {
      headers: { authorization: `Bearer ${system.credentials.opsToken}` },
    });
    expect(text).toMatch(/^gatehouse_audit_outcomes_unknown_total\{.*operation="session.create".*\} 2/m);
    expect(verify(system.dataDir)).toMatchObject({ ok: true, exit: 0 });
  });
});
