import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBench, workflowId, type Bench } from '../testing/fixture.js';
import { callbackSource, callbackUrl } from './callback.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ webhookUrl: null });
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.call('POST', '/_sandbox/reset');
});

const open = async (more: Record<string, unknown> = {}): Promise<{ id: string; path: string }> => {
  const reply = await bench.call('POST', '/v3/session/', { body: { workflow_id: workflowId, ...more } });
  return { id: String(reply.at('session_id')), path: new URL(String(reply.at('url'))).pathname };
};

const submit = (path: string, fields: Record<string, string>) =>
  bench.call('POST', path, {
    key: null,
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });

const stateOf = async (id: string) => (await bench.call('GET', `/_sandbox/sessions/${id}`)).at('status');

const walk = async (path: string): Promise<void> => {
  for (const step of ['consent', 'document', 'selfie']) {
    const reply = await submit(path, { step });
    expect([reply.status, reply.headers['location']]).toEqual([303, path]);
  }
};

describe('the page of a session', () => {
  it('begins the verification when it is opened', async () => {
    const { id, path } = await open({ language: 'es' });
    const reply = await bench.call('GET', path, { key: null });
    expect(reply.status).toBe(200);
    expect(reply.text).toContain('<html lang="es">');
    expect(reply.text).toContain('value="consent"');
    expect(await stateOf(id)).toBe('In Progress');
  });

  it('leads through its steps to the caller’s address', async () => {
    const { id, path } = await open({ callback: 'https://bank.example/done?case=7#top' });
    await walk(path);
    const midway = await bench.call('GET', `/v3/session/${id}/decision/`);
    expect(midway.at('liveness_checks.0.status')).toBe('Not Finished');
    expect(midway.at('aml_screenings')).toBeNull();
    const last = await submit(path, { step: 'outcome', scenario: 'sanctions-hit', status: '' });
    expect(last.status).toBe(303);
    expect(last.headers['location']).toBe(
      `https://bank.example/done?case=7&verificationSessionId=${id}&status=In+Review#top`,
    );
    expect(await stateOf(id)).toBe('In Review');
    const after = await bench.call('GET', path);
    expect(after.text).toContain('In Review');
    expect(after.text).toContain(`verificationSessionId=${id}&amp;status=In+Review`);
  });

  it('lets the person choose the status apart from what happened', async () => {
    const { id, path } = await open();
    await walk(path);
    const last = await submit(path, { step: 'outcome', scenario: 'clean', status: 'Declined' });
    expect([last.status, last.headers['location']]).toEqual([303, path]);
    expect(await stateOf(id)).toBe('Declined');
  });

  it('can be left', async () => {
    const { id, path } = await open();
    await walk(path);
    await submit(path, { step: 'leave' });
    expect(await stateOf(id)).toBe('Abandoned');
  });

  it('takes no step out of turn, and none after the end', async () => {
    const { id, path } = await open();
    await submit(path, { step: 'outcome', scenario: 'clean' });
    expect(await stateOf(id)).toBe('In Progress');
    await walk(path);
    await submit(path, { step: 'outcome', scenario: 'clean' });
    await submit(path, { step: 'leave' });
    expect(await stateOf(id)).toBe('Approved');
  });

  it('asks again only for what was sent back', async () => {
    const { id, path } = await open();
    await walk(path);
    await submit(path, { step: 'outcome', scenario: 'expired-document' });
    await bench.call('PATCH', `/v3/session/${id}/update-status/`, { body: { new_status: 'Resubmitted' } });
    expect((await bench.call('GET', path)).text).toContain('value="document"');
    await submit(path, { step: 'document' });
    expect((await bench.call('GET', path)).text).toContain('value="outcome"');
  });

  it('does not exist for another token', async () => {
    expect((await bench.call('GET', '/session/nobodys_toke')).status).toBe(404);
    expect((await submit('/session/nobodys_toke', { step: 'consent' })).status).toBe(404);
  });

  it('lets nothing in but itself, and lets the form lead to the callback', async () => {
    const { path } = await open({ callback: 'https://bank.example:8443/x' });
    const reply = await bench.call('GET', path);
    const policy = String(reply.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' https://bank.example:8443;");
    expect(policy).not.toContain('unsafe');
    expect(reply.text).not.toContain('<script');
    expect(reply.headers['referrer-policy']).toBe('no-referrer');
  });

  it('escapes what callers wrote', async () => {
    const { id, path } = await open({ callback: 'https://bank.example/"><script>alert(1)</script>' });
    await bench.finish(id, 'Approved');
    expect((await bench.call('GET', path)).text).not.toContain('<script>');
  });
});

describe('the way back', () => {
  it('is written as a header can carry it', () => {
    expect(callbackUrl('https://bank.example/fertig-größe', 's', 'Approved')).toBe(
      'https://bank.example/fertig-gr%C3%B6%C3%9Fe?verificationSessionId=s&status=Approved',
    );
    expect(callbackUrl('myapp://done', 's', 'Kyc Expired')).toBe(
      'myapp://done?verificationSessionId=s&status=Kyc+Expired',
    );
    expect(callbackUrl('javascript:alert(1)', 's', 'Approved')).toBeNull();
    expect(callbackUrl(null, 's', 'Approved')).toBeNull();
  });

  it('is allowed by its origin or its scheme, and by nothing that could say more', () => {
    expect(callbackSource('https://bank.example/a;b')).toBe('https://bank.example');
    expect(callbackSource('myapp://done')).toBe('myapp:');
    expect(callbackSource('https://a;script-src/')).toBeNull();
    expect(callbackSource('javascript:alert(1)')).toBeNull();
  });
});
