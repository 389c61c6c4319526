import { describe, expect, it } from 'vitest';
import { OPERATIONS, pathOf } from './operations.js';

const all = Object.entries(OPERATIONS);

describe('the table of operations', () => {
  it('names each by its key, with a path that ends in a slash', () => {
    for (const [name, operation] of all) {
      expect(operation.name).toBe(name);
      expect(operation.path).toMatch(/^\/v3\/.*\/$/);
      expect(operation.scopes.length).toBeGreaterThan(0);
    }
  });

  it('asks for no right to write for a read, and calls nothing a change that is one', () => {
    for (const [, operation] of all) {
      expect(operation.changes).toBe(operation.method !== 'GET');
      expect(operation.maxUploadBytes > 0).toBe(operation.body !== 'none');
      if (operation.method === 'GET') expect(operation.scopes.join()).not.toMatch(/write|delete|standalone/);
    }
  });

  it('gives the whole report to nobody without the right to what is in it', () => {
    expect(OPERATIONS['session.pdf'].scopes).toEqual(expect.arrayContaining(['pii:read', 'didit:media']));
  });
});

describe('the path of an operation', () => {
  it('has its parameters in it, percent-encoded and in Didit’s lower case', () => {
    const sessionId = 'ABCDEF00-2f3a-4d55-9a55-3f0d0c1f7a10';
    expect(pathOf(OPERATIONS['session.pdf'], { sessionId })).toBe(
      `/v3/session/${sessionId.toLowerCase()}/generate-pdf/`,
    );
    expect(pathOf(OPERATIONS['session.create'])).toBe('/v3/session/');
    expect(pathOf(OPERATIONS['session.decision'], { sessionId: '../x?y#z' })).toBe(
      '/v3/session/..%2Fx%3Fy%23z/decision/',
    );
  });

  it.each([{}, { sessionId: '' }, { sessionId: '.' }, { sessionId: '..' }])('does not exist for %j', (params) => {
    expect(() => pathOf(OPERATIONS['session.decision'], params)).toThrow('session.decision');
  });
});
