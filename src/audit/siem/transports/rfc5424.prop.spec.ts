import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { octetCountedFrames, shippedLine } from '../testing/receivers.js';
import { octetCounted, syslogMessage } from './rfc5424.js';

const FORMAT = { hostname: 'gate-1', enterpriseNumber: 32473, bom: true, mostBytes: 65_536 };
const text = fc.string({ unit: 'grapheme', minLength: 0, maxLength: 400 });

describe('messages of RFC 5424 and frames of RFC 5425', () => {
  test.prop([text, fc.integer({ min: 200, max: 500 })])(
    'says so when it cuts, keeps to the limit and tears no character',
    (text, mostBytes) => {
      const message = syslogMessage('records', shippedLine(1, { text }), { ...FORMAT, mostBytes });
      const whole = syslogMessage('records', shippedLine(1, { text }), FORMAT);
      expect(message.length).toBeLessThanOrEqual(mostBytes);
      if (whole.length <= mostBytes) {
        expect(message).toEqual(whole);
        return;
      }
      const [head, cut] = message.toString().split('\ufeff', 2);
      expect(head).toContain(`cut="${Buffer.byteLength(text)}"`);
      expect(Buffer.from(message.toString())).toEqual(message);
      expect(text.split('\ufeff', 1)[0]?.startsWith(cut ?? '?')).toBe(true);
    },
  );

  test.prop([fc.array(text)])('frames are read back by their counts alone', (texts) => {
    const messages = texts.map((one) => syslogMessage('records', shippedLine(1, { text: one }), FORMAT));
    const frames = octetCountedFrames(Buffer.concat(messages.map(octetCounted)));
    expect(frames).toEqual(messages.map(String));
  });

  test.prop([fc.string({ unit: 'grapheme' })])('a parameter ends where it should, whatever is in it', (id) => {
    const message = syslogMessage('records', shippedLine(1, { id, text: '"] x' }), FORMAT).toString();
    const value = /id="((?:[^"\\\]]|\\["\\\]])*)"\] \ufeff"\] x$/s.exec(message)?.[1];
    expect(value?.replace(/\\(["\\\]])/g, '$1')).toBe(id);
  });
});
