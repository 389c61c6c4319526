import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../platform/index.js';
import type { Sink } from '../sink.js';
import {
  httpFake,
  type HttpFake,
  never,
  type SaidBack,
  shippedLine,
  shippedLines,
  type SpecCertificates,
  specCertificates,
} from '../testing/receivers.js';
import { otlpLogs } from './otlp-logs.js';

describe('OTLP logs', () => {
  let files: SpecCertificates;
  let fake: HttpFake;
  let sink: Sink;
  beforeAll(async () => {
    files = await specCertificates();
  });
  afterAll(() => files.remove());
  afterEach(async () => {
    await sink.close();
    await fake.stop();
  });

  async function open(answer: () => SaidBack): Promise<void> {
    fake = await httpFake(files, answer);
    const options = { name: 'otlp', url: `${fake.url}/`, caFile: files.caFile, host: 'gate-1' };
    sink = otlpLogs(options, new ManualClock('2026-03-10T08:00:01.000Z'));
  }

  it('posts a request of the logs service, with uid, number, severity and instants', async () => {
    await open(() => ({ body: '{"partialSuccess":{}}' }));
    const { seq: _seq, ...statement } = shippedLine(2, { id: 'batch-1-2' });
    const lines = [shippedLine(1, { severity: 'high', seq: 2 ** 53 - 1 }), statement];
    await sink.send({ kind: 'records', lines }, never);
    expect(fake.arrived[0]?.path).toBe('/v1/logs');
    expect(fake.arrived[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(fake.arrived[0]?.body ?? '')).toEqual({
      resourceLogs: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'gatehouse' } },
              { key: 'host.name', value: { stringValue: 'gate-1' } },
            ],
          },
          scopeLogs: [
            {
              scope: { name: 'gatehouse.audit' },
              logRecords: [
                {
                  timeUnixNano: '1773129600124000000',
                  observedTimeUnixNano: '1773129601000000000',
                  severityNumber: 17,
                  severityText: 'high',
                  body: { stringValue: shippedLine(1).text },
                  attributes: [
                    { key: 'log.record.uid', value: { stringValue: shippedLine(1).id } },
                    { key: 'gatehouse.seq', value: { intValue: '9007199254740991' } },
                  ],
                },
                expect.objectContaining({
                  severityNumber: 9,
                  attributes: [{ key: 'log.record.uid', value: { stringValue: 'batch-1-2' } }],
                }),
              ],
            },
          ],
        },
      ],
    });
  });

  it.each(['', '{}', '{"partialSuccess":null}', '{"partialSuccess":{"rejectedLogRecords":"0","errorMessage":"slow"}}'])(
    'takes %j for a full success',
    async (body) => {
      await open(() => ({ body }));
      await sink.send({ kind: 'operational', lines: shippedLines(2) }, never);
      expect(fake.arrived[0]?.body).toContain('gatehouse.log');
    },
  );

  it.each([
    [200, '{"partialSuccess":{"rejectedLogRecords":"1"}}', 'partial-success'],
    [200, '{"partialSuccess":{"rejectedLogRecords":2}}', 'partial-success'],
    [200, '<html>', 'unreadable-answer'],
    [503, '', 'http-503'],
  ])('rejects %i %s', async (status, body, code) => {
    await open(() => ({ status, body }));
    await expect(sink.send({ kind: 'records', lines: shippedLines(2) }, never)).rejects.toMatchObject({ code });
  });
});
