import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';

const system = sharedSystem();
const { publicUrl, adminUrl } = system.credentials;

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { 'x-gatehouse-rights'?: string[]; responses: Record<string, unknown> }>>;
}

async function documentOf(origin: string): Promise<Document> {
  const answer = await system.call<Document>(`${origin}/openapi.json`);
  expect(answer.status).toBe(200);
  return answer.body;
}

function operations(document: Document): { method: string; path: string; rights: string[] }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, '0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10'),
      rights: operation['x-gatehouse-rights'] ?? [],
    })),
  );
}

describe('each route belongs to one listener', () => {
  it.each([
    ['public', publicUrl, adminUrl],
    ['admin', adminUrl, publicUrl],
  ])('every route of the %s listener is 404 on the other, and is there on its own', async (_name, own, other) => {
    const mine = operations(await documentOf(own));
    const theirs = new Set(operations(await documentOf(other)).map(({ method, path }) => `${method} ${path}`));
    expect(mine.length).toBeGreaterThan(5);
    for (const { method, path } of mine) {
      if (theirs.has(`${method} ${path}`)) continue;
      const elsewhere = await system.call<{ code: string }>(`${other}${path}`, { method: method as 'GET' });
      expect([method, path, elsewhere.status]).toEqual([method, path, 404]);
      const here = await system.call<{ code?: string }>(`${own}${path}`, { method: method as 'GET' });
      expect([method, path, here.body?.code]).not.toEqual([method, path, 'method-not-allowed']);
    }
  });

  it('every data and admin route refuses a caller without credentials', async () => {
    for (const origin of [publicUrl, adminUrl]) {
      for (const { method, path, rights } of operations(await documentOf(origin))) {
        if (rights.length === 0) continue;
        const answer = await system.call<{ code: string }>(`${origin}${path}`, { method: method as 'GET' });
        expect([method, path, answer.status, answer.body.code]).toEqual([method, path, 401, 'unauthenticated']);
      }
    }
  });
});

describe('the documents', () => {
  it('are OpenAPI 3.1 and name the right of every operation and its refusals', async () => {
    const document = await documentOf(publicUrl);
    expect(document.openapi).toMatch(/^3\.1/);
    const create = document.paths['/v1/verifications']?.['post'];
    expect(create?.['x-gatehouse-rights']).toEqual(['verifications:write']);
    expect(create?.responses).toHaveProperty('default');
  });

  it('have a page without scripts', async () => {
    const page = await system.call(`${adminUrl}/docs`);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.text).not.toContain('<script');
    expect(page.text).toContain('/admin/v1/incidents');
  });
});
