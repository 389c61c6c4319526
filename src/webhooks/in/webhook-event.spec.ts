import { describe, expect, it } from 'vitest';
import { webhookEvent } from './webhook-event.js';

const SESSION = '11111111-2222-4333-8444-555555555555';
const digest = Buffer.alloc(32, 7);
const event = (members: object = {}) => ({
  event_id: '0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10',
  webhook_type: 'status.updated',
  session_id: SESSION,
  status: 'Approved',
  timestamp: 1_774_970_000,
  ...members,
});

describe('webhookEvent', () => {
  it('tells events by the vendor’s id', () => {
    expect(webhookEvent(event(), true, digest)).toEqual({
      key: 'id:0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10',
      type: 'status.updated',
      sessionId: SESSION,
    });
    expect(webhookEvent(event({ status: 'Declined' }), true, digest).key).toBe(webhookEvent(event(), true, digest).key);
  });

  it('tells those without an id by session, type, time and status', () => {
    const key = (members: object) => webhookEvent(event({ event_id: undefined, ...members }), true, digest).key;
    expect(key({})).toBe(key({ metadata: { test_webhook: true } }));
    for (const other of [{ session_id: 'x' }, { webhook_type: 'x' }, { timestamp: 1 }, { status: 'x' }])
      expect(key(other)).not.toBe(key({}));
  });

  it('tells those that name nothing by their bytes', () => {
    expect(webhookEvent({}, true, digest)).toEqual({
      key: `body:${digest.toString('hex')}`,
      type: 'unrecognised',
      sessionId: undefined,
    });
  });

  it('takes of an unsigned body only what the simple signature covers', () => {
    const key = (members: object) => webhookEvent(event(members), false, digest).key;
    expect(key({ event_id: 'chosen by whoever sends it' })).toBe(key({}));
    expect(key({ status: 'Declined' })).not.toBe(key({}));
    expect(key({})).not.toBe(webhookEvent(event({ event_id: undefined }), true, digest).key);
  });

  it('bounds what a sender may choose', () => {
    expect(webhookEvent(event({ event_id: 'x'.repeat(10_000) }), true, digest).key.length).toBeLessThan(256);
    expect(webhookEvent(event({ webhook_type: 'Zoë Müller' }), true, digest).type).toBe('unrecognised');
    expect(webhookEvent(event({ session_id: 'cust-42' }), true, digest).sessionId).toBeUndefined();
    expect(webhookEvent(event({ session_id: { a: 1 }, event_id: ['x'] }), true, digest).sessionId).toBeUndefined();
  });

  it('writes a session’s id in lower case, as the vendor’s routes have it', () => {
    expect(webhookEvent(event({ session_id: SESSION.toUpperCase() }), true, digest).sessionId).toBe(SESSION);
  });
});
