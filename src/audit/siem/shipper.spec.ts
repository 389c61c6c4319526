import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  appConnection,
  aRecord,
  LOG_KEY,
  openTestLog,
  sequenceAll,
  type TestLog,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { Log, SystemClock } from '../../platform/index.js';
import { openCheckpoint } from '../checkpoints/checkpoint.js';
import { LogStore } from '../checkpoints/log-store.js';
import { noteSigner } from '../checkpoints/note.js';
import type { Connection } from '../connection.js';
import { leafHash } from '../tree/merkle.js';
import { verifyRange } from '../tree/range-proof.js';
import { type BatchStatement, readStatement } from './batch.js';
import { OneAtATime } from './one-at-a-time.js';
import type { Pace } from './pace.js';
import { Shipper } from './shipper.js';
import type { Shipment, ShippedLine, Sink } from './sink.js';
import { SinkStore } from './sink-store.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;
let shipping: Connection;
let queries: OneAtATime;
let sinks = 0;
let shippers: Shipper[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl, 'spec', true);
  connection = appConnection(database.superuserUrl);
  shipping = appConnection(database.superuserUrl);
  queries = new OneAtATime(shipping);
  await grow(1);
});
afterAll(async () => {
  await connection.close();
  await shipping.close();
  await log.stop();
  await database.stop();
});
beforeEach(() => {
  sinks += 1;
});
afterEach(async () => {
  await Promise.all(shippers.splice(0).map((shipper) => shipper.stop()));
});

/** Records with numbers and, unless told otherwise, a checkpoint over them. @returns the size of the log. */
async function grow(records: number, signed = true, detail = {}): Promise<number> {
  for (let n = 0; n < records; n += 1) await log.auditLog.append(aRecord({ detail }));
  const size = await sequenceAll(connection);
  if (signed) await sign(size);
  return size;
}

/** The log signs twice a second at most. */
const sign = (size: number): Promise<void> =>
  vi.waitFor(
    async () => {
      await log.signing?.checkpointer.round();
      expect((await new LogStore(queries).tip())?.checkpoint?.size).toBe(size);
    },
    { timeout: 5_000, interval: 50 },
  );

/** A receiver that keeps what it acknowledged, and does what it is told meanwhile. */
class Receiver implements Sink {
  readonly shipments: Shipment[] = [];
  sending = 0;
  before: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  constructor(readonly name = `sink-${sinks}`) {}

  async send(shipment: Shipment, signal: AbortSignal): Promise<void> {
    this.sending += 1;
    try {
      await this.before(signal);
      this.shipments.push(shipment);
    } finally {
      this.sending -= 1;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  get lines(): ShippedLine[] {
    return this.shipments.flatMap(({ lines }) => [...lines]);
  }

  get seqs(): number[] {
    return this.lines.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
  }
}

interface Given {
  who?: string;
  records?: number;
  bytes?: number;
  pace?: Partial<Pace>;
  from?: 'now' | 'beginning';
}

const QUICK: Partial<Pace> = { idle: 20, firstRetry: 10, longestRetry: 50, lease: 1_000, renew: 200, farewell: 200 };
const store = (who: string): SinkStore => new SinkStore(queries, who);

async function ship(sink: Sink, given: Given = {}): Promise<Shipper> {
  const own = store(given.who ?? 'one');
  await own.open(sink.name, given.from === 'now');
  const shipper = new Shipper({
    sink,
    format: 'ocsf',
    batch: { records: given.records ?? 100, bytes: given.bytes ?? 1_000_000 },
    store: own,
    log: new LogStore(queries),
    clock: new SystemClock(),
    report: new Log('silent'),
    pace: { ...QUICK, ...given.pace },
  });
  shippers.push(shipper);
  shipper.start();
  return shipper;
}

const has = (sink: Receiver, size: number): Promise<void> =>
  vi.waitFor(() => expect(new Set(sink.seqs).size).toBe(size), { timeout: 5_000, interval: 20 });
const upTo = (size: number): number[] => Array.from({ length: size }, (_, n) => n);

interface Event {
  raw_data: string;
  unmapped: { gatehouse: { batch: unknown } };
}
const eventOf = ({ text }: ShippedLine): Event => JSON.parse(text) as Event;

function statementOf({ lines }: Shipment): BatchStatement {
  const statement = readStatement(eventOf(lines.at(-1) as ShippedLine).unmapped.gatehouse.batch);
  if (statement === undefined) throw new Error('no statement');
  return statement;
}

describe('a receiver', () => {
  it('gets every record that a checkpoint covers, in order, each batch with the proof that it is whole', async () => {
    const size = await grow(7);
    const unsigned = await grow(2, false);
    expect(unsigned).toBe(size + 2);
    const sink = new Receiver();
    await ship(sink, { records: 3 });
    await has(sink, size);
    expect(sink.seqs).toEqual(upTo(size));
    const keys = [noteSigner(log.auditLog.origin, LOG_KEY).verifier];
    for (const shipment of sink.shipments) {
      const { first, past, checkpoint, ...proof } = statementOf(shipment);
      const records = shipment.lines.slice(0, -1);
      expect(records.map(({ seq }) => seq)).toEqual(upTo(past).slice(first));
      expect(records.length).toBeLessThanOrEqual(3);
      expect(shipment.lines.at(-1)).toMatchObject({ id: `batch-${first}-${past}`, severity: 'info' });
      const leaves = records.map((line) => leafHash(Buffer.from(eventOf(line).raw_data)));
      const { size: signed, root } = openCheckpoint(checkpoint, log.auditLog.origin, keys);
      expect(verifyRange(first, leaves, signed, proof, root)).toBe(true);
    }
    await sign(unsigned);
    await has(sink, unsigned);
  });

  it('gets batches of bounded size, and a record that is larger than that alone', async () => {
    await grow(1, true, { text: 'x'.repeat(20_000) });
    const size = await grow(2);
    const sink = new Receiver();
    await ship(sink, { bytes: 5_000 });
    await has(sink, size);
    expect(sink.seqs).toEqual(upTo(size));
    const lengths = sink.shipments.map(({ lines }) => lines.length - 1);
    expect(Math.max(...lengths)).toBeGreaterThan(1);
    for (const { lines } of sink.shipments) {
      const bytes = lines.slice(0, -1).map((line) => Buffer.byteLength(eventOf(line).raw_data));
      expect(bytes.slice(0, -1).reduce((sum, one) => sum + one, 0)).toBeLessThan(5_000);
    }
  });

  it('gets the same batch again until it takes it, and is told of as failing meanwhile', async () => {
    const size = await grow(4);
    const sink = new Receiver();
    let refusals = 3;
    sink.before = () =>
      (refusals -= 1) >= 0
        ? Promise.reject(Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }))
        : Promise.resolve();
    const failed = vi.fn();
    const shipper = await ship(sink, { records: 2, pace: { firstRetry: 200, longestRetry: 200 } });
    shipper.onFailed = failed;
    await vi.waitFor(async () => {
      const [standing] = await store('other').standings([sink.name]);
      expect(standing).toMatchObject({ nextSeq: 0, lag: size, held: true, trouble: 'ECONNREFUSED', lastSentAt: null });
      expect(standing?.lagSeconds).toBeGreaterThanOrEqual(0);
    });
    await has(sink, size);
    expect(sink.seqs).toEqual(upTo(size));
    expect(failed.mock.calls).toEqual([['ECONNREFUSED'], ['ECONNREFUSED'], ['ECONNREFUSED']]);
    await vi.waitFor(async () => {
      const [standing] = await store('other').standings([sink.name]);
      expect(standing).toMatchObject({ nextSeq: size, lag: 0, lagSeconds: 0, trouble: null });
      expect(standing?.lastSentAt).not.toBeNull();
    });
  });

  it('that never answers is given up after its time and delays no other', async () => {
    const size = await grow(1);
    const dead = new Receiver(`dead-${sinks}`);
    dead.before = () => new Promise(() => undefined);
    const sink = new Receiver();
    const failed = vi.fn();
    const shipper = await ship(dead, { pace: { send: 100 } });
    shipper.onFailed = failed;
    await ship(sink, { records: 1 });
    await has(sink, size);
    await vi.waitFor(() => expect(failed.mock.calls.length).toBeGreaterThan(1));
    expect(failed).toHaveBeenCalledWith('timeout');
  });

  it('new here begins with what comes, when it is told to', async () => {
    const size = await grow(1);
    const sink = new Receiver();
    await ship(sink, { from: 'now' });
    await grow(2);
    await has(sink, 2);
    expect(sink.seqs).toEqual([size, size + 1]);
  });

  it('is not passed over what went missing', async () => {
    const sink = new Receiver();
    await store('one').open(sink.name, true);
    const next = await grow(3);
    const failed = vi.fn();
    await withClient(database.superuserUrl, async (superuser) => {
      await superuser.query('BEGIN');
      await superuser.query('SET LOCAL session_replication_role = replica');
      await superuser.query('CREATE TABLE public.gone AS SELECT * FROM audit.log WHERE seq = $1', [next - 2]);
      await superuser.query('DELETE FROM audit.log WHERE seq = $1', [next - 2]);
      await superuser.query('COMMIT');
    });
    const shipper = await ship(sink);
    shipper.onFailed = failed;
    await vi.waitFor(() => expect(failed).toHaveBeenCalledWith('records-missing'));
    expect(sink.seqs).toEqual([]);
    await withClient(database.superuserUrl, (superuser) =>
      superuser.query('INSERT INTO audit.log SELECT * FROM public.gone'),
    );
    await has(sink, 3);
  });
});

describe('an instance', () => {
  it('goes on where the one before it stopped', async () => {
    const size = await grow(1);
    const sink = new Receiver();
    const first = await ship(sink, { who: 'one' });
    await has(sink, size);
    await first.stop();
    const more = await grow(3);
    await ship(sink, { who: 'two' });
    await has(sink, more);
    expect(sink.seqs).toEqual(upTo(more));
  });

  it('sends again, under the same ids, what was taken but not noted', async () => {
    const size = await grow(2);
    const sink = new Receiver();
    let lost = true;
    // The receiver has it, and the answer is lost.
    const send = sink.send.bind(sink);
    sink.send = async (shipment, signal) => {
      await send(shipment, signal);
      if (lost) {
        lost = false;
        throw new Error('reset');
      }
    };
    await ship(sink, { records: 1_000 });
    await vi.waitFor(() => expect(sink.shipments.length).toBe(2));
    expect(sink.seqs).toEqual([...upTo(size), ...upTo(size)]);
    const [first, second] = sink.shipments;
    expect(second?.lines.map(({ id }) => id)).toEqual(first?.lines.map(({ id }) => id));
  });

  it('takes over from one that died, when its right to ship has run out', async () => {
    const size = await grow(1);
    const sink = new Receiver();
    const dead = store('dead');
    await dead.open(sink.name, false);
    expect(await dead.lease(sink.name, 300, undefined)).toBe(0);
    const began = performance.now();
    await ship(sink, { who: 'two' });
    await has(sink, size);
    expect(performance.now() - began).toBeGreaterThan(200);
    expect(await dead.move(sink.name, 1)).toBe(false);
  });

  it('ships alone, whoever else would', async () => {
    const size = await grow(20);
    const sink = new Receiver();
    let most = 0;
    sink.before = async () => {
      most = Math.max(most, sink.sending);
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await Promise.all(['one', 'two', 'three'].map((who) => ship(sink, { who, records: 2 })));
    await has(sink, size);
    expect(most).toBe(1);
    expect(sink.seqs).toEqual(upTo(size));
  });

  it('that loses the right to ship while it sends stops sending', async () => {
    await grow(1);
    const sink = new Receiver();
    const failed = vi.fn();
    sink.before = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const shipper = await ship(sink, { who: 'slow', pace: { renew: 50, firstRetry: 5_000, longestRetry: 5_000 } });
    shipper.onFailed = failed;
    await vi.waitFor(() => expect(sink.sending).toBe(1));
    await withClient(database.superuserUrl, (superuser) =>
      superuser.query(`UPDATE audit.sink_cursor SET holder = 'other', held_until = now() + '1 hour' WHERE name = $1`, [
        sink.name,
      ]),
    );
    await vi.waitFor(() => expect(failed).toHaveBeenCalledWith('lease-lost'));
    expect(await store('slow').lease(sink.name, 1_000, undefined)).toBeUndefined();
  });

  it('ships what came last before it stops', async () => {
    await grow(1);
    const sink = new Receiver();
    const shipper = await ship(sink, { pace: { idle: 60_000 } });
    await vi.waitFor(async () => expect((await store('one').standings([sink.name]))[0]?.lag).toBe(0));
    const size = await grow(2);
    await shipper.stop();
    expect(sink.seqs).toEqual(upTo(size));
    expect((await store('two').standings([sink.name]))[0]?.held).toBe(false);
  });
});

describe('a cursor', () => {
  it('moves forwards only, no further than what is signed, and by its functions alone', async () => {
    const size = await grow(2);
    const name = `sink-${sinks}`;
    const own = store('one');
    await own.open(name, false);
    await own.lease(name, 60_000, undefined);
    expect(await own.move(name, size + 1)).toBe(false);
    expect(await own.move(name, 2)).toBe(true);
    expect(await own.move(name, 1)).toBe(false);
    expect(await store('two').move(name, 3)).toBe(false);
    await own.open(name, true);
    expect((await own.standings([name]))[0]?.nextSeq).toBe(2);
    for (const text of [
      `UPDATE audit.sink_cursor SET next_seq = 99 WHERE name = '${name}'`,
      `DELETE FROM audit.sink_cursor WHERE name = '${name}'`,
    ])
      await expect(connection.rows({ text })).rejects.toMatchObject({ code: '42501' });
    await withClient(database.superuserUrl, async (superuser) => {
      for (const text of [
        `UPDATE audit.sink_cursor SET next_seq = 0 WHERE name = '${name}'`,
        `DELETE FROM audit.sink_cursor WHERE name = '${name}'`,
        'TRUNCATE audit.sink_cursor',
      ])
        await expect(superuser.query(text)).rejects.toMatchObject({ code: '42501' });
    });
  });
});
