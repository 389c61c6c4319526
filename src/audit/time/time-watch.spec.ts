import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestLog, type TestLog } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { ManualClock, Outbox } from '../../platform/index.js';
import { NoTime, type TimeSample } from './sntp.js';
import { TimeWatch } from './time-watch.js';

let test: TestDatabase;
let log: TestLog;
beforeAll(async () => {
  test = await startTestDatabase();
  log = await openTestLog(test.superuserUrl);
});
afterAll(async () => {
  await log.stop();
  await test.stop();
});

const HOUR_MS = 3_600_000;
const good: TimeSample = { offsetUs: 1_200, delayUs: 800 };
const far: TimeSample = { offsetUs: -900_000, delayUs: 800 };

let clock: ManualClock;
let answers: Record<string, TimeSample | NoTime>;
let asked: string[];
let alarms: Map<string, boolean>;
let offsets: Map<string, number>;
let day = 0;

beforeEach(() => {
  clock = new ManualClock(new Date(Date.UTC(2026, 2, 10 + (day += 1))));
  asked = [];
  alarms = new Map();
  offsets = new Map();
});

function watch(given: typeof answers, database: Pick<TestDatabase['database'], 'transaction'> = test.database) {
  answers = given;
  return new TimeWatch({
    sources: Object.keys(given),
    boundMs: 500,
    clock,
    database,
    auditLog: log.auditLog,
    outbox: new Outbox(test.database),
    alarms: { set: (alarm, wrong) => void alarms.set(alarm, wrong) },
    offsets: { set: (source, seconds) => void offsets.set(source, seconds) },
    measure: (source) => {
      asked.push(source);
      const answer = answers[source];
      return answer instanceof NoTime || answer === undefined
        ? Promise.reject(answer ?? new NoTime('none'))
        : Promise.resolve(answer);
    },
  });
}

/** Kinds and details of this spec's day, oldest first. */
async function told(): Promise<[string, unknown][]> {
  const rows = await test.database.query<{ kind: string; detail: unknown }>(
    `SELECT kind, convert_from(bytes, 'UTF8')::jsonb -> 'detail' AS detail FROM audit.intake
      WHERE kind LIKE 'clock.%' AND at BETWEEN $1::timestamptz - interval '20 hours' AND $1 ORDER BY n`,
    [clock.now()],
  );
  return rows.map(({ kind, detail }) => [kind, detail]);
}
const kinds = async () => (await told()).map(([kind]) => kind);

it('records what it measured, and again an hour later', async () => {
  const time = watch({ 'ntp://a': good });
  for (let n = 0; n < 13; n += 1) {
    await time.round();
    clock.advance(HOUR_MS / 12);
  }
  expect(await told()).toEqual([
    ['clock.measured', { source: 'ntp://a', boundUs: 500_000, ...good }],
    ['clock.measured', { source: 'ntp://a', boundUs: 500_000, ...good }],
  ]);
  expect(alarms.get('clock-off')).toBe(false);
  expect(offsets).toEqual(new Map([['ntp://a', 0.0012]]));
});

it('tells of a drift at once, with a signal, and of its end', async () => {
  const time = watch({ 'ntp://a': good });
  await time.round();
  answers['ntp://a'] = far;
  await time.round();
  await time.round();
  expect(alarms.get('clock-off')).toBe(true);
  answers['ntp://a'] = good;
  await time.round();
  expect(await kinds()).toEqual(['clock.measured', 'clock.drift', 'clock.measured']);
  expect(alarms.get('clock-off')).toBe(false);
  const signals = await new Outbox(test.database).since('audit.clock-drift', new Date(clock.epochMs() - 1), 10);
  expect(signals).toMatchObject([{ subject: 'spec', detail: { offsetUs: -900_000 } }]);
});

it('tells it again when it could not be written', async () => {
  let away = true;
  const database = {
    transaction: ((work) =>
      away ? Promise.reject(new Error('away')) : test.database.transaction(work)) as typeof test.database.transaction,
  };
  const time = watch({ 'ntp://a': far }, database);
  await expect(time.round()).rejects.toThrow('away');
  expect(alarms.get('clock-off')).toBe(true);
  away = false;
  await time.round();
  expect(await kinds()).toEqual(['clock.drift']);
});

describe('several sources', () => {
  it('let one liar move nothing', async () => {
    await watch({ 'ntp://a': good, 'ntp://b': far, 'ntp://c': good }).round();
    expect(alarms.get('clock-off')).toBe(false);
  });

  it('are an alarm when half of those that answer say so', async () => {
    await watch({ 'ntp://a': good, 'ntp://b': far, 'ntp://c': new NoTime('silent') }).round();
    expect(alarms.get('clock-off')).toBe(true);
  });
});

it('goes by no answer that was too long on the way', async () => {
  await watch({ 'ntp://a': { offsetUs: 700_000, delayUs: 1_400_000 } }).round();
  expect([alarms.has('clock-off'), await told()]).toEqual([false, []]);
});

it('is an alarm when nobody answers for long', async () => {
  const time = watch({ 'ntp://a': new NoTime('silent') });
  const states: unknown[] = [];
  for (let n = 0; n < 3; n += 1) {
    await time.round();
    states.push(alarms.get('clock-unmeasured'));
  }
  answers['ntp://a'] = good;
  await time.round();
  expect([...states, alarms.get('clock-unmeasured')]).toEqual([false, false, true, false]);
});

it('leaves alone who wants to be left alone', async () => {
  const time = watch({ 'ntp://a': new NoTime('no', 'DENY'), 'ntp://b': good });
  await time.round();
  await time.round();
  expect(asked).toEqual(['ntp://a', 'ntp://b', 'ntp://b']);
  clock.advance(13 * HOUR_MS);
  await time.round();
  expect(asked.slice(3)).toEqual(['ntp://a', 'ntp://b']);
});
