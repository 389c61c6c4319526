import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../platform/index.js';
import { clientTag } from '../../vendors/index.js';
import { openSpecHouse, PUBLIC_URL, type SpecHouse } from '../testing/spec-house.js';
import { DropInSessionList } from './drop-in-session-list.js';

interface Page {
  count: number;
  next: string | null;
  previous: string | null;
  results: { session_id: string; vendor_data: string | null }[];
}

describe('DropInSessionList', () => {
  let house: SpecHouse;
  let list: DropInSessionList;

  beforeAll(async () => {
    house = await openSpecHouse();
    list = house.get(DropInSessionList, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(() => {
    house.vendor.sessions.length = 0;
    house.vendor.asked.length = 0;
  });

  const callOf = (client: string) => house.call(client, ['didit:sessions:read']);
  const page = async (call: Call, query: Record<string, string> = {}) => (await list.list(call, query)).body as Page;

  /** Sessions of the clients in turn, newest first, as the vendor has them: some unknown here, as after a crash. */
  function vendorHas(count: number, clients: readonly string[]): void {
    for (let n = 0; n < count; n += 1) {
      const tag = clientTag(clients[n % clients.length] ?? '');
      house.vendor.sessions.push({
        session_id: randomUUID(),
        session_url: 'https://verify.vendor.test/session/abc',
        status: 'Approved',
        vendor_data: `${tag}:cust-${n}`,
        workflow_id: randomUUID(),
        created_at: house.clock.now().toISOString(),
        modules: {},
      });
    }
  }

  it('finds the own ones among those of others, over several of the vendor’s pages', async () => {
    const [mine, theirs] = [randomUUID(), randomUUID()];
    vendorHas(450, [mine, theirs, theirs]);
    const first = await page(callOf(mine), { limit: '100' });
    expect(first.count).toBe(150);
    expect(first.results).toHaveLength(100);
    expect(first.results[1]?.vendor_data).toBe('cust-3');
    expect(first.next).toBe(`${PUBLIC_URL}/didit/v3/sessions/?limit=100&offset=100`);
    const second = await page(callOf(mine), { limit: '100', offset: '100' });
    expect(second.results).toHaveLength(50);
    expect(second).toMatchObject({ next: null, previous: `${PUBLIC_URL}/didit/v3/sessions/?limit=100` });
    const all = [...first.results, ...second.results].map((row) => row.session_id);
    expect(new Set(all).size).toBe(150);
  });

  it('refuses to look through more than it may', async () => {
    vendorHas(5_001, [randomUUID()]);
    await expect(page(callOf(randomUUID()))).rejects.toMatchObject({
      code: 'unprocessable',
      detail: expect.stringContaining('vendor_data') as string,
    });
    expect(house.vendor.count('session.list')).toBe(25);
  });

  it('asks for vendor_data in the client’s namespace alone', async () => {
    const [mine, theirs] = [randomUUID(), randomUUID()];
    vendorHas(4, [mine, theirs]);
    expect((await page(callOf(mine), { vendor_data: 'cust-2' })).results).toHaveLength(1);
    expect((await page(callOf(mine), { vendor_data: 'cust-1' })).results).toHaveLength(0);
    expect((await page(callOf(mine), { vendor_data: `${clientTag(theirs)}:cust-1` })).count).toBe(0);
  });
});
