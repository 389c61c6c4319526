import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeMeasured } from '../support/measured.js';
import { startSystem, type System, WIDE_LIMITS } from '../support/system.js';

const PER_SECOND = 500;
const SECONDS = 8;

let system: System;
beforeAll(async () => {
  system = await startSystem({ yaml: WIDE_LIMITS });
});
afterAll(() => system.stop());

function deliver(): Promise<{ status: number }> {
  const { diditWebhookUrl, diditWebhookSecret } = system.credentials;
  const timestamp = Math.floor(Date.now() / 1_000);
  // Of no session: what follows from a webhook is bounded by the vendor's own rates, and not what is measured here.
  const event = {
    event_id: randomUUID(),
    webhook_type: 'transaction.created',
    timestamp,
    created_at: timestamp,
    pad: 'x'.repeat(1_500),
  };
  const text = JSON.stringify(event);
  return system.call(diditWebhookUrl, {
    body: text,
    headers: {
      'content-type': 'application/json',
      'x-timestamp': String(timestamp),
      'x-signature': createHmac('sha256', diditWebhookSecret).update(text).digest('hex'),
    },
  });
}

/** They leave at fixed instants: how late an answer is counts from then. */
it('five hundred webhooks a second are accepted durably', async () => {
  await Promise.all(Array.from({ length: 50 }, deliver));
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: PER_SECOND * SECONDS }, async (_, n) => {
      const dueMs = (n * 1_000) / PER_SECOND;
      await sleep(Math.max(0, dueMs - (performance.now() - startedAt)));
      const { status } = await deliver();
      return { status, ms: performance.now() - startedAt - dueMs };
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const late = answers.map(({ ms }) => ms).sort((one, other) => one - other);
  const figures = {
    perSecond: Math.round(answers.length / seconds),
    p50Ms: Math.round(late[Math.floor(late.length / 2)] ?? 0),
    p99Ms: Math.round(late[Math.floor(late.length * 0.99)] ?? 0),
  };
  writeMeasured('webhooks-in', figures);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  // The aim is 500 on two idle cores, of which the sender of this check takes its part.
  expect(figures.perSecond).toBeGreaterThanOrEqual(150);
});
