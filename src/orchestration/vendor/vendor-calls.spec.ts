import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuditLog } from '../../audit/index.js';
import { Outbox } from '../../platform/index.js';
import { openSpecHouse, type SpecHouse } from '../testing/spec-house.js';
import type { Background } from './asker.js';
import { VendorCalls } from './vendor-calls.js';

describe('VendorCalls', () => {
  let house: SpecHouse;
  let calls: VendorCalls;
  let asker: Background;

  beforeAll(async () => {
    house = await openSpecHouse();
    calls = house.get(VendorCalls, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(() => {
    vi.restoreAllMocks();
    house.vendor.asked.length = 0;
    asker = { job: 'spec', verification: randomUUID() };
  });

  const list = (by: Parameters<VendorCalls['call']>[0]) => calls.call(by, 'session.list');
  const records = () => house.records(asker.verification ?? '');

  it('notes the vendor’s part in the call that asked, and carries its trace', async () => {
    const call = house.call(randomUUID());
    await list(call);
    expect(call.vendor).toMatchObject({ name: 'didit', operation: 'session.list', status: 200, attempt: 1 });
    expect(house.vendor.asked[0]?.request).toMatchObject({
      headers: { traceparent: `00-${call.traceId}-${call.spanId}-01` },
      signal: call.signal,
    });
  });

  it('waits for a change whatever becomes of its caller', async () => {
    const call = house.call(randomUUID());
    const body = { json: { vendor_data: 'x', workflow_id: 'y' } };
    await calls.call(call, 'session.create', { body });
    expect(house.vendor.asked[0]?.request).not.toHaveProperty('signal');
  });

  it('gives the earlier of several calls a record of its own', async () => {
    const call = Object.assign(house.call(randomUUID()), { verification: asker.verification });
    await list(call);
    expect(await records()).toHaveLength(0);
    await calls.call(call, 'session.decision', { params: { sessionId: randomUUID() } });
    expect(await records()).toMatchObject([
      { kind: 'vendor.call', call: call.id, vendor: { operation: 'session.list', status: 200 } },
    ]);
    expect(call.vendor).toMatchObject({ operation: 'session.decision', status: 404 });
  });

  it('records what nobody called for', async () => {
    await list(asker);
    expect(await records()).toMatchObject([
      { kind: 'vendor.call', vendor: { operation: 'session.list', status: 200 }, detail: { job: 'spec' } },
    ]);
  });

  it('tells of a failure by a record and a signal', async () => {
    house.vendor.fail('session.list', { problem: 'vendor-credit', outcome: 'none' });
    await expect(list(asker)).rejects.toMatchObject({ problem: 'vendor-credit' });
    expect(await records()).toMatchObject([{ kind: 'vendor.call', detail: { job: 'spec', problem: 'vendor-credit' } }]);
    expect(await house.signals('vendor.failed')).toContainEqual({
      kind: 'vendor.failed',
      subject: 'didit',
      detail: { operation: 'session.list', problem: 'vendor-credit' },
    });
  });

  it.each([
    ['record', () => vi.spyOn(house.get(AuditLog, { strict: false }), 'appendIn')],
    ['signal', () => vi.spyOn(house.get(Outbox, { strict: false }), 'tell')],
  ])('lets no failing %s hide the vendor’s failure, and writes neither alone', async (_, spy) => {
    const before = (await house.signals('vendor.failed')).length;
    spy().mockRejectedValue(new Error('the database went away'));
    house.vendor.fail('session.list', { problem: 'vendor-timeout', outcome: 'unknown' });
    await expect(list(asker)).rejects.toMatchObject({ problem: 'vendor-timeout', outcome: 'unknown' });
    expect(await records()).toHaveLength(0);
    expect(await house.signals('vendor.failed')).toHaveLength(before);
  });

  it('sends who asks, how urgent it is and until when', async () => {
    const call = Object.assign(house.call(randomUUID()), { deadlineMs: 4_711 });
    await list(call);
    await list({ job: 'spec', call: randomUUID(), priority: 'critical' });
    await list({ job: 'spec', client: 'c' });
    await list({ job: 'spec', priority: 'interactive' });
    expect(
      house.vendor.asked.map(({ request: { client, priority, deadlineMs } }) => [client, priority, deadlineMs]),
    ).toEqual([
      [call.caller?.id, 'interactive', 4_711],
      [undefined, 'critical', undefined],
      ['c', 'background', undefined],
      [undefined, 'interactive', undefined],
    ]);
  });

  it('tells the attempts of a failure as they were', async () => {
    house.vendor.fail('session.list', { problem: 'vendor-error', outcome: 'unknown', attempts: 3 });
    await expect(list(asker)).rejects.toMatchObject({ problem: 'vendor-error' });
    expect(await records()).toMatchObject([{ vendor: { attempt: 3, status: 0, rung: 'fresh' } }]);
  });

  it('records what was not let out as such, and tells no failure of the vendor', async () => {
    const before = (await house.signals('vendor.failed')).length;
    const call = Object.assign(house.call(randomUUID()), { verification: asker.verification });
    for (const by of [asker, call]) {
      house.vendor.fail('session.list', { problem: 'vendor-unavailable', outcome: 'none', attempts: 0 });
      await expect(list(by)).rejects.toMatchObject({ code: 'vendor-unavailable', headers: { 'retry-after': '7' } });
    }
    expect(call.vendor).toMatchObject({ status: 0, attempt: 0, rung: 'none' });
    expect(await records()).toMatchObject([
      {
        kind: 'vendor.call',
        vendor: { status: 0, attempt: 0, rung: 'none' },
        detail: { problem: 'vendor-unavailable' },
      },
    ]);
    expect(await house.signals('vendor.failed')).toHaveLength(before);
  });

  it('says so when an equal call brought the answer', async () => {
    house.vendor.collapsed = true;
    await list(asker);
    house.vendor.collapsed = false;
    expect(await records()).toMatchObject([{ vendor: { status: 200, attempt: 0, collapsed: true, rung: 'fresh' } }]);
  });

  it('blames no vendor for a caller that went away', async () => {
    const before = (await house.signals('vendor.failed')).length;
    const call = { ...house.call(randomUUID()), signal: AbortSignal.abort() };
    house.vendor.fail('session.list', { problem: 'vendor-timeout', outcome: 'unknown' });
    await expect(list(call)).rejects.toMatchObject({ problem: 'vendor-timeout' });
    expect(await house.signals('vendor.failed')).toHaveLength(before);
  });
});
