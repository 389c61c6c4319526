import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { appConnection, openTestLog, sequenceAll } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { isUuid, Log, ProblemError, SystemClock, uuidv7 } from '../platform/index.js';
import type { AuditLog } from './audit-log.js';
import { canonical } from './canonical.js';
import { JournalDrain, journalRecords, readJournal } from './journal-drain.js';
import { sha256 } from './tree/merkle.js';
import { recordBytes, type RecordInput } from './record.js';
import { NO_LINE, type Refusal, RefusalsJournal } from './refusals-journal.js';

const silent = new Log('silent');
const clock = new SystemClock();
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-journal-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const refusal = (over: Partial<Refusal> = {}): Refusal => ({
  at: '2026-03-10T08:00:00.000Z',
  call: uuidv7(),
  client: uuidv7(),
  method: 'POST',
  route: '/v1/verifications',
  status: 503,
  ...over,
});

const journalOf = (instance: string, mostBytes?: number): RefusalsJournal =>
  new RefusalsJournal({ dir, instance, clock, log: silent, ...(mostBytes === undefined ? {} : { mostBytes }) });

async function textOf(name = /jsonl$/): Promise<string> {
  const [file = ''] = (await readdir(dir)).filter((one) => name.test(one));
  return readFile(join(dir, file), 'utf8');
}

/** What a closed journal would be, without its process. */
async function leftBehind(instance: string, pid: number, text: string): Promise<string> {
  const id = uuidv7();
  await writeFile(join(dir, `${id}.${instance}.${pid}.jsonl`), text);
  return id;
}

class FakeLog {
  readonly records: RecordInput[] = [];
  failure: Error | undefined;
  refused = 0;

  append(record: RecordInput): Promise<void> {
    if (this.failure) {
      this.refused += 1;
      return Promise.reject(this.failure);
    }
    this.records.push(record);
    return Promise.resolve();
  }
}

const drainInto = (journal: RefusalsJournal, log: FakeLog): JournalDrain =>
  new JournalDrain(journal, log as unknown as AuditLog, silent, () => false);

describe('the journal', () => {
  it('holds a line a refusal, each with the hash of the one before, on the disk when it is noted', async () => {
    const journal = journalOf('a');
    expect(journal.empty).toBe(true);
    const one = refusal();
    await journal.note(one);
    const lines = (await textOf()).trimEnd().split('\n');
    expect(lines).toEqual([canonical({ ...one, n: 1, prev: NO_LINE })]);
    await Promise.all([journal.note(refusal()), journal.note(refusal()), journal.note(refusal())]);
    const all = (await textOf()).trimEnd().split('\n');
    expect(all).toHaveLength(4);
    expect(all.slice(1).map((line) => (JSON.parse(line) as { prev: string }).prev)).toEqual(
      all.slice(0, -1).map((line) => sha256(Buffer.from(line)).toString('hex')),
    );
    expect(readJournal(await textOf()).every((line) => line.intact)).toBe(true);
    expect(journal.empty).toBe(false);
    await journal.close();
    expect(journal.empty).toBe(true);
  });

  it('goes on with its chain in the next file', async () => {
    const journal = journalOf('a');
    await journal.note(refusal());
    const [line = ''] = (await textOf()).split('\n');
    await journal.close();
    await journal.note(refusal());
    const next = JSON.parse(await textOf(/\.a\.\d+\.jsonl$/)) as { n: number; prev: string };
    expect(next).toMatchObject({ n: 2, prev: sha256(Buffer.from(line)).toString('hex') });
    await journal.close();
  });

  it('counts what it has no room for', async () => {
    const journal = journalOf('a', 1_000);
    for (let n = 0; n < 50; n += 1)
      await journal.note(refusal({ at: `2026-03-10T08:00:${String(n).padStart(2, '0')}.000Z` }));
    await journal.close();
    const text = await textOf();
    expect(text.length).toBeLessThan(2_000);
    const [record] = journalRecords({ id: uuidv7(), instance: 'a' }, text);
    expect(record?.detail).toMatchObject({ count: 50, intact: true });
    expect(JSON.stringify(record?.detail)).toContain('"to":"2026-03-10T08:00:49.000Z"');
  });

  it('tells that lines were lost until nothing is left to write', async () => {
    const journal = new RefusalsJournal({ dir: '/dev/null/none', instance: 'a', clock, log: silent });
    await journal.note(refusal());
    expect(journal.failed).toBe(true);
    const drain = drainInto(journal, new FakeLog());
    drain.nudge();
    await vi.waitFor(() => expect(journal.failed).toBe(false));
    await drain.drain();
  });

  it('refuses nobody when the disk fails', async () => {
    const error = vi.fn();
    const file = join(dir, 'no-folder');
    await writeFile(file, '');
    const journal = new RefusalsJournal({
      dir: file,
      instance: 'a',
      clock,
      log: { error, info: vi.fn(), warn: vi.fn() },
    });
    await journal.note(refusal());
    expect(error).toHaveBeenCalledWith('the journal of refusals cannot be written', expect.anything());
  });
});

describe('reading a journal', () => {
  const chain = (...members: object[]): string => {
    let prev = NO_LINE;
    return members
      .map((one, at) => {
        const line = canonical({ ...one, n: at + 1, prev });
        prev = sha256(Buffer.from(line)).toString('hex');
        return `${line}\n`;
      })
      .join('');
  };
  const [a, b, c] = [refusal(), refusal(), refusal()];

  it.each([
    ['a line changed', (text: string) => text.replace('"status":503', '"status":200')],
    ['a line taken out', (text: string) => text.split('\n').toSpliced(1, 1).join('\n')],
    [
      'lines swapped',
      (text: string) =>
        text
          .split('\n')
          .toSpliced(0, 2, ...text.split('\n').slice(0, 2).reverse())
          .join('\n'),
    ],
    ['a line that is none', (text: string) => text.replace('\n', '\nnonsense\n')],
  ])('shows %s', (_what, change) => {
    const whole = chain(a, b, c);
    expect(journalRecords({ id: uuidv7(), instance: 'a' }, whole)[0]?.detail).toMatchObject({ intact: true });
    expect(journalRecords({ id: uuidv7(), instance: 'a' }, change(whole))[0]?.detail).toMatchObject({ intact: false });
  });

  it('leaves out a last line that a crash tore', () => {
    const whole = chain(a, b, c);
    expect(readJournal(whole.slice(0, -10))).toHaveLength(2);
    expect(readJournal('')).toEqual([]);
  });

  it('gives the same records each time, that fit and have ids', () => {
    const text = chain(...Array.from({ length: 400 }, () => refusal({ route: `/${'x'.repeat(200)}` })));
    const closed = { id: uuidv7(), instance: 'a' };
    const records = journalRecords(closed, text);
    expect(records).toEqual(journalRecords(closed, text));
    expect(records.map(({ detail }) => detail?.['count'])).toEqual([150, 150, 100]);
    for (const record of records) {
      expect(isUuid(record.id)).toBe(true);
      const bytes = recordBytes(record, { origin: 'x/log', instance: 'b' });
      expect(JSON.parse(bytes.toString())).toMatchObject({ detail: record.detail });
    }
  });

  it('takes over nothing that the journal does not know, whoever wrote the file', () => {
    const text = `${canonical({ ...a, n: 1, prev: NO_LINE, name: 'Ana', call: { deep: 'Ana' } })}\n`;
    expect(JSON.stringify(journalRecords({ id: uuidv7(), instance: 'a' }, text))).not.toContain('Ana');
  });
});

describe('draining', () => {
  it('brings the refusals into the log, and leaves no file', async () => {
    const [journal, log] = [journalOf('a'), new FakeLog()];
    const [first, second] = [refusal(), refusal({ at: '2026-03-10T08:00:01.000Z' })];
    await journal.note(first);
    await journal.note(second);
    await drainInto(journal, log).drain();
    expect(log.records).toHaveLength(1);
    expect(log.records[0]).toMatchObject({
      kind: 'gateway.refusals-journal',
      at: '2026-03-10T08:00:01.000Z',
      detail: {
        instance: 'a',
        count: 2,
        intact: true,
        refusals: [{ call: first.call }, { call: second.call, status: 503 }],
      },
    });
    expect(await readdir(dir)).toEqual([]);
  });

  it('brings in what an instance left behind when it was killed, and leaves alone what another still writes', async () => {
    const text = `${canonical({ ...refusal(), n: 1, prev: NO_LINE })}\n`;
    await leftBehind('dead', 4_000_001, text);
    await leftBehind('alive', 4_000_002, text);
    const log = new FakeLog();
    const isAlive = (pid: number): boolean => pid === 4_000_002;
    await new JournalDrain(journalOf('a'), log as unknown as AuditLog, silent, isAlive).drain();
    expect(log.records.map(({ detail }) => detail?.['instance'])).toEqual(['dead']);
    expect((await readdir(dir)).map((name) => name.split('.')[1])).toEqual(['alive']);
  });

  it('keeps what cannot be written yet, and brings it in when nudged', async () => {
    const [journal, log] = [journalOf('a'), new FakeLog()];
    const drain = drainInto(journal, log);
    await journal.note(refusal());
    log.failure = new ProblemError('audit-unavailable');
    await drain.drain();
    expect(await readdir(dir)).toHaveLength(1);
    log.failure = undefined;
    drain.nudge();
    await vi.waitFor(async () => expect(await readdir(dir)).toEqual([]));
    expect(log.records).toHaveLength(1);
  });

  it('looks by itself once it was started, for nobody else may write', async () => {
    const [journal, log] = [journalOf('a'), new FakeLog()];
    const drain = drainInto(journal, log);
    drain.start();
    log.failure = new ProblemError('audit-unavailable');
    await journal.note(refusal());
    await vi.waitFor(() => expect(log.refused).toBeGreaterThan(0), { timeout: 5_000 });
    log.failure = undefined;
    await vi.waitFor(async () => expect(await readdir(dir)).toEqual([]), { timeout: 5_000 });
    expect(log.records).toHaveLength(1);
    await drain.stop();
  });

  it('does nothing when nudged with nothing to drain', async () => {
    const log = new FakeLog();
    drainInto(journalOf('a'), log).nudge();
    await Promise.resolve();
    expect(log.records).toEqual([]);
  });

  it('is not stopped by a record that another instance brought in before it died', async () => {
    const [journal, log] = [journalOf('a'), new FakeLog()];
    await journal.note(refusal());
    log.failure = Object.assign(new Error('another record has this id'), { code: '23505', severity: 'ERROR' });
    await drainInto(journal, log).drain();
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('with a real log', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await startTestDatabase();
  });
  afterAll(() => database.stop());

  it('leaves one record of a journal that is drained twice, as a crash before its removal would have it', async () => {
    const text = `${canonical({ ...refusal(), n: 1, prev: NO_LINE })}\n`;
    const log = await openTestLog(database.superuserUrl, 'one');
    const id = await leftBehind('dead', 4_000_001, text);
    await drainInto(journalOf('b'), log.auditLog as unknown as FakeLog).drain();
    await writeFile(join(dir, `${id}.dead.4000001.closed.jsonl`), text);
    const other = await openTestLog(database.superuserUrl, 'two');
    await drainInto(journalOf('c'), other.auditLog as unknown as FakeLog).drain();
    await log.stop();
    await other.stop();
    const connection = appConnection(database.superuserUrl);
    await sequenceAll(connection);
    await connection.close();
    const rows = await database.database.query(`SELECT id FROM audit.log WHERE kind = 'gateway.refusals-journal'`);
    expect(rows).toHaveLength(1);
    expect(await readdir(dir)).toEqual([]);
  });
});
