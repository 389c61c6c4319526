import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../platform/index.js';
import type { Sink } from '../sink.js';
import {
  type Arrived,
  httpFake,
  type HttpFake,
  never,
  type SaidBack,
  shippedLine,
  shippedLines,
  type SpecCertificates,
  specCertificates,
} from '../testing/receivers.js';
import { splunkHec, type SplunkHecOptions } from './splunk-hec.js';

const TOKEN = 'a-token-that-nobody-may-see';
const EVENT = '/services/collector/event';
const ACK = '/services/collector/ack';

/** The answer of HEC to a batch, and which of its acknowledgements are there by the n-th question. */
const taken = (ackId: number): SaidBack => ({ body: JSON.stringify({ text: 'Success', code: 0, ackId }) });
const acks = (told: Record<string, boolean>): SaidBack => ({ body: JSON.stringify({ acks: told }) });

describe('the HTTP Event Collector of Splunk', () => {
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

  async function open(
    answer: (arrived: Arrived, n: number) => SaidBack,
    over: Partial<SplunkHecOptions> = {},
  ): Promise<void> {
    fake = await httpFake(files, answer);
    sink = splunkHec({
      name: 'splunk',
      url: fake.url,
      token: new Secret(TOKEN),
      caFile: files.caFile,
      pollMs: 5,
      ackTimeoutMs: 10_000,
      host: 'gate-1',
      ...over,
    });
  }
  const posted = (path: string): Arrived[] => fake.arrived.filter((one) => one.path === path);

  it('resolves only when the indexer has acknowledged, asking until it has', async () => {
    let questions = 0;
    await open(({ path }) => (path === EVENT ? taken(7) : acks({ 7: (questions += 1) === 3 })));
    await sink.send({ kind: 'records', lines: shippedLines(2) }, never);
    expect(posted(EVENT)).toHaveLength(1);
    expect(posted(ACK).map(({ body }) => JSON.parse(body))).toEqual(Array.from({ length: 3 }, () => ({ acks: [7] })));
  });

  it('sends token, channel and each event with its time, source type and indexed fields', async () => {
    await open(({ path }) => (path === EVENT ? taken(0) : acks({ 0: true })), { index: 'audit' });
    const cef = shippedLine(2, { text: 'CEF:0|Gatehouse|gateway|1|call|Call|3|msg=a "b"' });
    const { seq: _seq, ...statement } = shippedLine(3, { id: 'batch-1-3' });
    await sink.send({ kind: 'records', lines: [shippedLine(1), cef, statement] }, never);
    await sink.send({ kind: 'operational', lines: [{ ...statement, text: '{"level":"warn"}' }] }, never);
    const [first, second] = posted(EVENT);
    expect(first?.headers.authorization).toBe(`Splunk ${TOKEN}`);
    expect(first?.headers['x-splunk-request-channel']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(second?.headers['x-splunk-request-channel']).toBe(first?.headers['x-splunk-request-channel']);
    expect(first?.body.split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        time: shippedLine(1).atMs / 1000,
        host: 'gate-1',
        source: 'gatehouse',
        sourcetype: 'gatehouse:ocsf',
        index: 'audit',
        fields: { gatehouse_id: shippedLine(1).id, gatehouse_seq: '1' },
        event: JSON.parse(shippedLine(1).text),
      },
      expect.objectContaining({ sourcetype: 'gatehouse:cef', event: cef.text }),
      expect.objectContaining({ fields: { gatehouse_id: 'batch-1-3' } }),
    ]);
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ sourcetype: 'gatehouse:log', event: { level: 'warn' } });
  });

  it('cuts a large shipment into requests and waits for all of their acknowledgements', async () => {
    const told = new Set<number>();
    await open(
      ({ path, body }, n) => {
        if (path === EVENT) return taken(n);
        const [next] = (JSON.parse(body) as { acks: number[] }).acks;
        if (next !== undefined) told.add(next);
        return acks(next === undefined ? {} : { [next]: true });
      },
      { mostBytes: 700 },
    );
    await sink.send({ kind: 'records', lines: shippedLines(6) }, never);
    expect(posted(EVENT).length).toBeGreaterThan(1);
    expect(told.size).toBe(posted(EVENT).length);
    const ids = posted(EVENT).flatMap(({ body }) =>
      body.split('\n').map((line) => (JSON.parse(line) as { fields: { gatehouse_seq: string } }).fields.gatehouse_seq),
    );
    expect(ids).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('rejects when the acknowledgement never comes', async () => {
    await open(({ path }) => (path === EVENT ? taken(1) : acks({ 1: false })), { ackTimeoutMs: 60 });
    await expect(sink.send({ kind: 'records', lines: shippedLines(1) }, never)).rejects.toMatchObject({
      code: 'no-ack',
    });
  });

  it('asks on when a question for acknowledgements fails for a moment', async () => {
    let questions = 0;
    const answers: SaidBack[] = [{ status: 503 }, { cut: true }, acks({ 1: true })];
    await open(({ path }) => (path === EVENT ? taken(1) : (answers[questions++] ?? acks({}))));
    await sink.send({ kind: 'records', lines: shippedLines(1) }, never);
    expect(questions).toBe(3);
  });

  it('does not take HTTP 200 for an acknowledgement', async () => {
    await open(() => ({ body: '{"text":"Success","code":0}' }));
    await expect(sink.send({ kind: 'records', lines: shippedLines(1) }, never)).rejects.toMatchObject({
      code: 'no-ack-id',
    });
  });

  it('takes HTTP 200 only when told so', async () => {
    await open(() => ({ body: '{"text":"Success","code":0}' }), { ack: false });
    await sink.send({ kind: 'records', lines: shippedLines(1) }, never);
    expect(posted(ACK)).toHaveLength(0);
  });

  it.each([
    [503, '{"text":"Server is busy","code":9}', 'http-503-hec-9'],
    [400, '{"text":"Invalid data format","code":6,"invalid-event-number":1}', 'http-400-hec-6'],
    [403, '{"text":"Invalid token","code":4}', 'http-403-hec-4'],
    [200, '{"text":"?","code":9}', 'http-200-hec-9'],
    [302, '', 'http-302'],
  ])('rejects %i %s, telling neither token nor answer', async (status, body, code) => {
    await open(() => ({ status, body, headers: { location: 'https://127.0.0.1:1/' } }));
    const error: unknown = await sink.send({ kind: 'records', lines: shippedLines(1) }, never).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'ReceiverFailure', code });
    expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toMatch(/token|Invalid|busy/);
  });

  it('stays with the indexer that a balancer chose, by its cookie', async () => {
    await open(({ path }) =>
      path === EVENT ? { ...taken(1), headers: { 'set-cookie': 'lb=node-2; Path=/; Secure' } } : acks({ 1: true }),
    );
    await sink.send({ kind: 'records', lines: shippedLines(1) }, never);
    expect(posted(ACK)[0]?.headers.cookie).toBe('lb=node-2');
  });

  it('ends when it is told to', async () => {
    await open(({ path }) => (path === EVENT ? taken(1) : acks({})), { ackTimeoutMs: 60_000, pollMs: 60_000 });
    const stop = new AbortController();
    const sent = sink.send({ kind: 'records', lines: shippedLines(1) }, stop.signal);
    while (fake.arrived.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await expect(sent).rejects.toMatchObject({ code: 'aborted' });
  });
});
