import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSystem, type System, until } from '../support/system.js';

const YAML = `
listeners: { trustedProxies: [127.0.0.1/32] }
policy:
  addresses: { deny: [203.0.113.0/24], allow: [127.0.0.1, 198.51.100.0/24, "2001:db8::/32"] }
  agents: { deny: [sqlmap] }
  rates: { client: 5/min, key: 100/min, address: 60/min, anonymous: 30/min }
`;

interface Problem {
  code: string;
  decisionId: string;
}

describe('policy at the door', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ yaml: YAML });
  });
  afterAll(() => system.stop());

  const list = (headers: Record<string, string>) => system.v1<Problem>('/v1/verifications', { headers });

  it('refuses a caller that a trusted proxy says came over plain HTTP', async () => {
    const answer = await list({ 'x-forwarded-proto': 'http', 'x-forwarded-for': '198.51.100.1' });
    expect([answer.status, answer.body.code]).toEqual([403, 'https-required']);
  });

  it.each([
    ['203.0.113.9', 'address.denied'],
    ['192.0.2.1', 'address.not-allowed'],
    ['::ffff:203.0.113.9', 'address.denied'],
  ])('refuses %s and records the rule %s', async (address, rule) => {
    const answer = await list({ 'x-forwarded-for': address });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden-address']);
    const decision = await until(async () => {
      const found = await system.admin<{
        items?: unknown;
        record?: { decision: { rule: string }; http: { address: string } };
      }>(`/decisions/${answer.body.decisionId}`);
      return found.status === 200 ? found.body.record : undefined;
    });
    expect(decision.decision.rule).toBe(rule);
  });

  it('refuses a denied agent in any case, and lets a listed IPv6 network in', async () => {
    const bad = await list({ 'x-forwarded-for': '198.51.100.2', 'user-agent': 'SQLMap/1.8' });
    expect([bad.status, bad.body.code]).toEqual([403, 'forbidden-agent']);
    expect((await list({ 'x-forwarded-for': '2001:db8::7' })).status).toBe(200);
  });

  it('counts a client’s calls and says so in RateLimit fields', async () => {
    const answers = [];
    for (let n = 0; n < 6; n += 1) answers.push(await list({ 'x-forwarded-for': `198.51.100.${10 + n}` }));
    const refused = answers.at(-1);
    expect([refused?.status, refused?.body.code]).toEqual([429, 'rate-limited']);
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused?.headers['ratelimit-policy']).toContain('q=5;w=60');
    expect(answers[0]?.headers['ratelimit']).toMatch(/^"client";r=\d+;t=\d+$/);
  });

  it('counts refused credentials of an address, records the first twenty singly and the rest as one', async () => {
    const codes: number[] = [];
    for (let n = 0; n < 32; n += 1) {
      codes.push(
        (
          await system.call(`${system.credentials.publicUrl}/v1/verifications`, {
            headers: { 'x-forwarded-for': '198.51.100.77' },
          })
        ).status,
      );
    }
    expect(codes.slice(0, 30).every((code) => code === 401)).toBe(true);
    expect(codes.slice(30)).toEqual([429, 429]);
    const records = await system.admin<{ items: { record: { http?: { address: string } } }[] }>(
      '/audit/records?outcome=deny&limit=100',
    );
    expect(records.body.items.filter((item) => item.record.http?.address === '198.51.100.77')).toHaveLength(20);
  });

  it('holds an address to its rate before any credential is looked at', async () => {
    const codes: string[] = [];
    for (let n = 0; n < 61; n += 1) {
      codes.push(
        (
          await system.call<Problem>(`${system.credentials.publicUrl}/nowhere`, {
            headers: { 'x-forwarded-for': '198.51.100.88' },
          })
        ).body.code,
      );
    }
    expect(codes.at(0)).toBe('not-found');
    expect(codes.at(-1)).toBe('rate-limited');
  });
});
