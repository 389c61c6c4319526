import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pair } from '../support/pair.js';
import { sharedSystem } from '../support/shared.js';

describe('two instances on one database', () => {
  const shared = sharedSystem();
  let pair: Pair;

  beforeAll(async () => {
    pair = await Pair.open(shared.credentials);
    await Promise.all(pair.members.map((member) => member.start()));
  });
  afterAll(() => pair.close());

  it('serve one client with one log, and take each other’s tokens', async () => {
    const [one, two] = pair.members;
    const body = { workflow: 'onboarding', subject: { reference: 'two-instances', relationship: 'customer' } };
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const created = await pair.v1(one, '/verifications', { body, headers });
    expect(created.status).toBe(201);
    const path = `/verifications/${String(created.body['id'])}`;
    expect((await pair.v1(two, path)).status).toBe(200);
    expect((await pair.v1(two, '/verifications', { body, headers })).body).toEqual(created.body);
    await Promise.all(Array.from({ length: 40 }, (_, n) => pair.v1(n % 2 === 0 ? one : two, path)));
    const verdict = JSON.parse(pair.cli('verify', '--json').stdout.trim().split('\n').at(-1) ?? '{}') as {
      ok: boolean;
    };
    expect(verdict.ok).toBe(true);
  });

  it('makes no default credential and runs as the role that can change nothing', () => {
    const second = pair.cli('bootstrap', '--json');
    expect(second.status).not.toBe(0);
    expect(second.stderr).toContain('administrator');
  });
});
