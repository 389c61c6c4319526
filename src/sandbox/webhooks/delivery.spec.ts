import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBench, type Bench, type Received } from '../testing/fixture.js';
import { canonicalText } from './signer.js';
import { isJsonObject, parseJson, scalarText } from '../wire/json.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ webhooks: { timeoutMs: 300 } });
});
afterAll(() => bench.close());
afterEach(async () => {
  bench.receiver.answers = [200];
  await bench.call('POST', '/_sandbox/reset');
  bench.receiver.received.length = 0;
});

const hmac = (message: string | Buffer): string =>
  createHmac('sha256', bench.settings.webhookSecret).update(message).digest('hex');

const canonical = ({ raw }: Received): string => canonicalText(parseJson(raw.toString('utf8')));

const simple = ({ raw }: Received): string => {
  const body = parseJson(raw.toString('utf8'));
  if (!isJsonObject(body)) throw new Error('an object was expected');
  return ['timestamp', 'session_id', 'status', 'webhook_type'].map((name) => scalarText(body[name])).join(':');
};

const advance = (advanceMs: number) => bench.call('POST', '/_sandbox/clock', { body: { advanceMs } });

const deliveries = async () => {
  const reply = await bench.call('GET', '/_sandbox/webhooks');
  return reply.at('items') as {
    status: string;
    state: string;
    attempts: { outcome: string; fault: string | null }[];
  }[];
};

/** Until the sandbox has written down how the notification about that status ended. */
const ended = async (status: string) => {
  for (;;) {
    const found = (await deliveries()).find((delivery) => delivery.status === status);
    if (found !== undefined && found.state !== 'pending') return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const attempts = async (status: string, count: number) => {
  for (;;) {
    const found = (await deliveries()).find((delivery) => delivery.status === status);
    if (found !== undefined && found.attempts.length >= count) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const fault = (body: Record<string, unknown>) => bench.call('POST', '/_sandbox/webhooks/faults', { body });

const onlyFor = async (id: string, status: string): Promise<Received> => {
  const found = bench.receiver.received.find(({ body }) => JSON.stringify(body).includes(`"status":"${status}"`));
  if (found === undefined) throw new Error(`nothing about ${status} of ${id}`);
  return found;
};

describe('a notification', () => {
  it('is signed three ways over what it carries', async () => {
    const id = await bench.create({ vendor_data: 'ñ', metadata: { '10': 1, '9': 90, z: 'Łódź 😀' } });
    await bench.finish(id, 'Approved');
    const [started, approved] = await bench.receiver.until(2);
    for (const received of [started, approved] as Received[]) {
      expect(received.headers).toMatchObject({
        'content-type': 'application/json',
        'user-agent': 'DiditWebhook/2.0 +https://didit.me',
        'x-signature': hmac(received.raw),
        'x-signature-v2': hmac(canonical(received)),
        'x-signature-simple': hmac(simple(received)),
      });
      expect(received.raw.toString('latin1')).toMatch(/^[ -~]*$/);
    }
    expect(approved?.body).toMatchObject({
      webhook_type: 'status.updated',
      environment: 'sandbox',
      session_id: id,
      status: 'Approved',
      vendor_data: 'ñ',
      workflow_version: 1,
      decision: { session_id: id, status: 'Approved' },
    });
    expect(approved?.body).toHaveProperty('timestamp', Number(approved?.headers['x-timestamp']));
    expect(started?.body).not.toHaveProperty('decision');
    expect(started?.body).toMatchObject({ status: 'In Progress' });
  });

  it('names the steps of a resubmission', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Declined', 'expired-document');
    const body = { new_status: 'Resubmitted', comment: 'a newer one, please' };
    await bench.call('PATCH', `/v3/session/${id}/update-status/`, { body });
    const received = await bench.receiver.until(3);
    expect(received[2]?.body).toMatchObject({
      status: 'Resubmitted',
      resubmit_info: {
        nodes_to_resubmit: [{ node_id: 'feature_ocr_1', feature: 'OCR' }],
        reasons: { feature_ocr_1: 'a newer one, please' },
      },
    });
  });
});

describe('trying again', () => {
  it.each([[500], [503], [404], ['hang']] as const)(
    'happens twice on %s: after a minute and four more',
    async (bad) => {
      bench.receiver.answers = [bad];
      const id = await bench.create();
      await bench.finish(id, 'Expired');
      await attempts('Expired', 1);
      expect(bench.receiver.received).toHaveLength(1);
      await advance(59_000);
      expect(bench.receiver.received).toHaveLength(1);
      await advance(2_000);
      await attempts('Expired', 2);
      await advance(241_000);
      const delivery = await ended('Expired');
      expect(delivery.state).toBe('failed');
      expect(delivery.attempts).toHaveLength(3);
      const [first, second, third] = bench.receiver.received;
      expect(second?.raw.equals(first?.raw ?? Buffer.alloc(0))).toBe(true);
      expect(third?.headers['x-signature']).toBe(first?.headers['x-signature']);
      await advance(10_000_000);
      expect(bench.receiver.received).toHaveLength(3);
    },
  );

  it('counts from when an attempt was due, however far the clock was moved at once', async () => {
    bench.receiver.answers = [500];
    await bench.finish(await bench.create(), 'Expired');
    await attempts('Expired', 1);
    await advance(3_600_000);
    expect((await ended('Expired')).attempts).toHaveLength(3);
  });

  it('ends with the first success', async () => {
    bench.receiver.answers = [502, 204];
    await bench.finish(await bench.create(), 'Expired');
    await attempts('Expired', 1);
    await advance(60_000);
    const delivery = await ended('Expired');
    expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ outcome: '502' }, { outcome: '204' }] });
  });

  it.each([[301], [400], [401], [410], [429]])('does not happen on %s', async (status) => {
    bench.receiver.answers = [status];
    await bench.finish(await bench.create(), 'Expired');
    expect(await ended('Expired')).toMatchObject({ state: 'failed', attempts: [{ outcome: String(status) }] });
    await advance(3_600_000);
    expect(bench.receiver.received).toHaveLength(1);
  });

  it('happens when nobody listens', async () => {
    await bench.call('POST', '/_sandbox/configure', { body: { webhookUrl: 'https://127.0.0.1:9/nobody' } });
    await bench.finish(await bench.create(), 'Expired');
    expect((await attempts('Expired', 1)).attempts[0]?.outcome).toMatch(/^connection failed: /);
    await advance(60_000);
    expect((await attempts('Expired', 2)).attempts).toHaveLength(2);
    await bench.call('POST', '/_sandbox/configure', { body: { webhookUrl: bench.receiver.url } });
  });
});

describe('misbehaving notifications', () => {
  it('are dropped', async () => {
    await fault({ kind: 'drop' });
    await bench.finish(await bench.create(), 'Expired');
    expect(await ended('Expired')).toMatchObject({
      state: 'dropped',
      attempts: [{ outcome: 'not sent', fault: 'drop' }],
    });
    expect(bench.receiver.received).toHaveLength(0);
  });

  it('come twice, the same bytes', async () => {
    await fault({ kind: 'duplicate' });
    await bench.finish(await bench.create(), 'Expired');
    const [one, two] = await bench.receiver.until(2);
    expect(two?.raw.equals(one?.raw ?? Buffer.alloc(0))).toBe(true);
  });

  it('overtake each other', async () => {
    await fault({ kind: 'reorder' });
    await bench.finish(await bench.create(), 'Approved');
    const received = await bench.receiver.until(2);
    expect(received.map(({ body }) => (body as { status: string }).status)).toEqual(['Approved', 'In Progress']);
  });

  it('leave late', async () => {
    await fault({ kind: 'delay', ms: 150 });
    const before = Date.now();
    await bench.finish(await bench.create(), 'Expired');
    await bench.receiver.until(1);
    expect(Date.now() - before).toBeGreaterThanOrEqual(145);
  });

  it('are forged', async () => {
    await fault({ kind: 'forge' });
    const id = await bench.create();
    await bench.finish(id, 'Expired');
    await bench.receiver.until(1);
    const received = await onlyFor(id, 'Expired');
    expect(received.headers['x-signature']).not.toBe(hmac(received.raw));
    expect(received.headers['x-signature-v2']).not.toBe(hmac(canonical(received)));
    expect(received.headers['x-signature-simple']).not.toBe(hmac(simple(received)));
  });

  it('are forged but for the signature that covers too little', async () => {
    await fault({ kind: 'forge', simple: true });
    const id = await bench.create();
    await bench.finish(id, 'Expired');
    await bench.receiver.until(1);
    const received = await onlyFor(id, 'Expired');
    expect(received.headers['x-signature']).not.toBe(hmac(received.raw));
    expect(received.headers['x-signature-simple']).toBe(hmac(simple(received)));
  });

  it('are stale, yet truly signed', async () => {
    await fault({ kind: 'stale' });
    const id = await bench.create();
    await bench.finish(id, 'Expired');
    await bench.receiver.until(1);
    const received = await onlyFor(id, 'Expired');
    expect(Number(received.headers['x-timestamp'])).toBeLessThan(Date.now() / 1000 - 300);
    expect(received.headers['x-signature']).toBe(hmac(received.raw));
  });

  it('are changed on the way, and still JSON', async () => {
    await fault({ kind: 'corrupt' });
    await bench.finish(await bench.create(), 'Expired');
    const [received] = await bench.receiver.until(1);
    expect(received?.body).toMatchObject({ status: 'expired' });
    expect(received?.headers['x-signature']).not.toBe(hmac(received?.raw ?? ''));
    expect(received?.headers['x-signature-v2']).not.toBe(hmac(canonical(received as Received)));
  });

  it('behave again once told so, or when their time is over', async () => {
    await fault({ kind: 'drop' });
    await bench.call('DELETE', '/_sandbox/webhooks/faults');
    await fault({ kind: 'drop', share: 0 });
    await bench.finish(await bench.create(), 'Expired');
    expect(await bench.receiver.until(1)).toHaveLength(1);
  });
});
