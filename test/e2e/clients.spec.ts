import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';

const system = sharedSystem();

interface Client {
  id: string;
  state: string;
  version: number;
}

async function client(scopes: string[]): Promise<{ id: string; keyId: string; apiKey: string }> {
  const made = await system.admin<Client>('/clients', {
    body: { name: `spec-${crypto.randomUUID().slice(0, 8)}-bank`, scopes },
  });
  expect(made.status).toBe(201);
  const key = await system.admin<{ id: string; apiKey: string; prefix: string }>(`/clients/${made.body.id}/keys`, {
    body: {},
  });
  expect(key.status).toBe(201);
  expect(key.body.apiKey.startsWith(key.body.prefix)).toBe(true);
  return { id: made.body.id, keyId: key.body.id, apiKey: key.body.apiKey };
}

const list = (apiKey: string) => system.didit<{ code?: string }>('sessions/', { headers: { 'x-api-key': apiKey } });

describe('clients and keys over the internal listener', () => {
  it('a new key works at once and a revoked one is refused by the very next call', async () => {
    const { id, keyId, apiKey } = await client(['didit:sessions:read']);
    expect((await list(apiKey)).status).toBe(200);
    expect((await system.admin(`/clients/${id}/keys/${keyId}`, { method: 'DELETE' })).status).toBe(204);
    expect((await list(apiKey)).body.code).toBe('unauthenticated');
  });

  it('two keys are good at once while rotating', async () => {
    const { id, apiKey } = await client(['didit:sessions:read']);
    const second = await system.admin<{ apiKey: string }>(`/clients/${id}/keys`, { body: {} });
    expect([(await list(apiKey)).status, (await list(second.body.apiKey)).status]).toEqual([200, 200]);
  });

  it('suspension, narrower scopes and an address list bite with the next call', async () => {
    const { id, apiKey } = await client(['didit:sessions:read']);
    const patch = (body: object) => system.admin<Client>(`/clients/${id}`, { method: 'PATCH', body });
    expect((await list(apiKey)).status).toBe(200);
    expect((await patch({ addresses: ['10.0.0.0/8'] })).status).toBe(200);
    expect((await list(apiKey)).body.code).toBe('forbidden-address');
    await patch({ addresses: [], scopes: ['verifications:read'] });
    expect((await list(apiKey)).body.code).toBe('forbidden-scope');
    await patch({ scopes: ['didit:sessions:read'], state: 'suspended' });
    expect((await list(apiKey)).body.code).toBe('unauthenticated');
    await patch({ state: 'active' });
    expect((await list(apiKey)).status).toBe(200);
  });

  it('is for admin and security alone, and each act is a record', async () => {
    const narrowed = await system.admin<{ code: string }>('/clients', { scope: 'auditor' });
    expect([narrowed.status, narrowed.body.code]).toEqual([403, 'forbidden-scope']);
    const { id } = await client(['verifications:read']);
    const records = await system.admin<{ items: { record: { kind: string; detail: { act: string } } }[] }>(
      `/audit/records?client=${id}&kind=admin.act`,
    );
    expect(records.body.items.map((item) => item.record.detail.act)).toEqual(['client.key-added', 'client.created']);
  });
});
