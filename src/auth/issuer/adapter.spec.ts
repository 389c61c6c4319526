import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../platform/index.js';
import { openTestDatabase, type TestDatabase } from '../testing/auth-house.js';
import { clientAdapter, PayloadAdapter } from './adapter.js';

let db: TestDatabase;
const clock = new ManualClock();

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db?.stop());

const adapter = (model = 'ReplayDetection') => new PayloadAdapter(db.app, clock, model);

async function rows(): Promise<string[]> {
  const found = await db.superuser.query<{ row: string }>('SELECT p::text AS row FROM auth.oidc_payloads p');
  return found.map(({ row }) => row);
}

describe('the state of the library', () => {
  it('is found again by any instance, by model and id, until it expires', async () => {
    await adapter().upsert('id-1', { jti: 'id-1', clientId: 'client' }, 60);
    expect(await adapter().find('id-1')).toEqual({ jti: 'id-1', clientId: 'client' });
    expect(await adapter('AccessToken').find('id-1')).toBeUndefined();
    clock.advance(60_000);
    expect(await adapter().find('id-1')).toBeUndefined();
  });

  it('may be replaced, consumed and removed', async () => {
    await adapter().upsert('id-2', { clientId: 'a' }, 60);
    await adapter().upsert('id-2', { clientId: 'b' }, 60);
    await adapter().consume('id-2');
    expect(await adapter().find('id-2')).toEqual({
      jti: 'id-2',
      clientId: 'b',
      consumed: Math.floor(clock.epochMs() / 1000),
    });
    await adapter().destroy('id-2');
    expect(await adapter().find('id-2')).toBeUndefined();
  });

  it('shows no id at rest, since an id can be a bearer value', async () => {
    await adapter('AccessToken').upsert('bearer-value', { jti: 'bearer-value' }, 60);
    const kept = (await rows()).join();
    expect(kept).not.toContain('bearer-value');
    expect(kept).not.toContain(Buffer.from('bearer-value').toString('hex'));
  });

  it('does not pile up', async () => {
    for (let n = 0; n < 20; n += 1) await adapter().upsert(`old-${n}`, {}, 1);
    clock.advance(120_000);
    await adapter().upsert('new', {}, 60);
    expect(await rows()).toHaveLength(1);
  });
});

describe('clients', () => {
  it('are not the library’s to write', async () => {
    const clients = clientAdapter(db.app, 'public');
    await expect(clients.upsert('x', { client_id: 'x' }, 60)).rejects.toThrow('client credentials');
    await expect(clients.destroy('x')).rejects.toThrow('client credentials');
  });
});
