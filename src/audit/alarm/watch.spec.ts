import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, ManualClock } from '../../platform/index.js';
import { type AlarmEvent, Alarms } from './alarms.js';
import { AlarmRecords } from './alarm-records.js';
import type { LogState } from './probe.js';
import { AlarmWatch } from './watch.js';

const GOOD: LogState = { oldestMs: 0, size: 5, signed: 5, aheadMs: { least: -2, most: 1 } };
const AFTER_MS = 5_000;
const STANDSTILL_MS = 30_000;
const MB = 1024 * 1024;

let clock: ManualClock;
let events: AlarmEvent[];
let state: LogState | 'away' | 'hanging';
let world: {
  down: boolean;
  failingSince: number | undefined;
  failed: boolean;
  forked: string | undefined;
  missing: boolean;
  refused: { now: boolean; count: number };
  free: number;
};
let appended: { detail?: unknown }[];
let refusing: boolean;
let watch: AlarmWatch;
let alarms: Alarms;

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  state = GOOD;
  world = {
    down: false,
    failingSince: undefined,
    failed: false,
    forked: undefined,
    missing: false,
    refused: { now: false, count: 0 },
    free: 1024 * MB,
  };
  appended = [];
  refusing = false;
  alarms = new Alarms({
    clock,
    log: { error: () => undefined, warn: () => undefined },
    instance: 'spec',
    origin: 'spec.example/log',
  });
  const append = (record: { detail?: unknown }): Promise<void> => {
    if (refusing) return Promise.reject(new Error('refused'));
    world.failingSince = undefined;
    appended.push(record);
    return Promise.resolve();
  };
  const records = new AlarmRecords({ append }, clock);
  alarms.listen((event) => {
    events.push(event);
    records.add(event);
  });
  watch = new AlarmWatch({
    alarms,
    records,
    batcher: {
      get down() {
        return world.down;
      },
      get failingSince() {
        return world.failingSince;
      },
    },
    journal: {
      get failed() {
        return world.failed;
      },
    },
    checkpointer: {
      get forked() {
        return world.forked;
      },
      get missing() {
        return world.missing;
      },
      get refused() {
        return world.refused;
      },
    },
    clock,
    config: loadConfig({}),
    ask: () => {
      if (state === 'hanging') return new Promise(() => undefined);
      return state === 'away' ? Promise.reject(new Error('away')) : Promise.resolve(state);
    },
    free: () => Promise.resolve(world.free),
  });
});

const nowMs = () => Number(clock.monotonic() / 1_000_000n);
/** Looks as the timer would, for a while of the clock. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    watch.look();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(250);
  }
}
const told = () => events.map(({ alarm, state: change }) => `${alarm} ${change}`);

it('raises nothing while all is well', async () => {
  await pass(60_000);
  expect(told()).toEqual([]);
  expect(appended).toEqual([]);
});

it('tells of a checkpoint that is missing, and of one that was refused even when a good one followed between two looks', async () => {
  await pass(1_000);
  world.missing = true;
  world.refused = { now: false, count: 1 };
  await pass(1_000);
  expect(told()).toEqual(['checkpoint-missing raised', 'checkpoint-refused raised', 'checkpoint-refused cleared']);
  world.refused = { now: true, count: 2 };
  await pass(1_000);
  expect(alarms.list().map(({ alarm }) => alarm)).toEqual(['checkpoint-missing', 'checkpoint-refused']);
});

describe('the log that cannot be written', () => {
  for (const how of ['away', 'hanging'] as const) {
    it(`is an alarm past the bound when the database is ${how}, with nobody calling`, async () => {
      await pass(1_000);
      state = how;
      await pass(AFTER_MS + 750);
      expect(told()).toEqual([]);
      await pass(2_250);
      expect(told()).toEqual(['log-unwritable raised']);
      expect(alarms.list()).toEqual([{ alarm: 'log-unwritable', since: events[0]?.at }]);
    });
  }

  it('is over when a record was taken, and both are recorded then', async () => {
    state = 'away';
    world = { ...world, down: true, failingSince: nowMs() };
    await pass(AFTER_MS + 2_000);
    world.down = false;
    refusing = true;
    state = GOOD;
    await pass(10_000);
    expect(told()).toEqual(['log-unwritable raised']);
    refusing = false;
    await pass(500);
    expect(told()).toEqual(['log-unwritable raised', 'log-unwritable cleared']);
    expect(alarms.list()).toEqual([]);
    expect(appended.map(({ detail }) => detail)).toEqual([
      { alarm: 'log-unwritable', state: 'raised' },
      { alarm: 'log-unwritable', state: 'cleared' },
    ]);
  });

  it('is an alarm also when the database answers and takes no record', async () => {
    refusing = true;
    world.failingSince = nowMs();
    await pass(AFTER_MS + 1_000);
    expect(told()).toEqual(['log-unwritable raised']);
  });

  it('is none for short trouble, of which a record is left', async () => {
    world = { ...world, down: true, failingSince: nowMs() };
    await pass(AFTER_MS - 1_000);
    world.down = false;
    await pass(2_000);
    expect(told()).toEqual([]);
    expect(appended.map(({ detail }) => detail)).toEqual([{ alarm: 'log-unwritable', state: 'passed' }]);
  });
});

it('tells of numbers that do not come, while the database answers', async () => {
  state = { ...GOOD, oldestMs: STANDSTILL_MS + 1 };
  await pass(3_000);
  state = { ...GOOD, oldestMs: 10 };
  await pass(3_000);
  expect(told()).toEqual(['numbering-stalled raised', 'numbering-stalled cleared']);
});

it('tells of a log that grows and is not signed', async () => {
  for (let size = 6; size < 20; size += 1) {
    state = { ...GOOD, size, signed: size - 1 };
    await pass(5_000);
  }
  expect(told()).toEqual([]);
  await pass(STANDSTILL_MS + 2_000);
  expect(told()).toEqual(['signing-stopped raised']);
  state = { ...GOOD, size: 21, signed: 20 };
  await pass(3_000);
  expect(told()).toEqual(['signing-stopped raised', 'signing-stopped cleared']);
});

it('tells at once, and for good, when the log does not extend what was signed', async () => {
  world.forked = 'the log is shorter';
  await pass(10_000);
  expect(told()).toEqual(['signing-stopped raised']);
});

it('tells of a journal that cannot be written', async () => {
  world.failed = true;
  await pass(500);
  world.failed = false;
  await pass(500);
  expect(told()).toEqual(['journal-unwritable raised', 'journal-unwritable cleared']);
});

it('tells of a disk that is nearly full, and not again and again at the bound', async () => {
  world.free = 256 * MB - 1;
  await pass(3_000);
  world.free = 270 * MB;
  await pass(3_000);
  expect(told()).toEqual(['disk-nearly-full raised']);
  world.free = 300 * MB;
  await pass(3_000);
  expect(told()).toEqual(['disk-nearly-full raised', 'disk-nearly-full cleared']);
});

it('tells of a clock that differs from the database’s, when it certainly does', async () => {
  state = { ...GOOD, aheadMs: { least: 400, most: 900 } };
  await pass(3_000);
  expect(told()).toEqual([]);
  state = { ...GOOD, aheadMs: { least: -502, most: -501 } };
  await pass(3_000);
  state = { ...GOOD, aheadMs: { least: -600, most: -400 } };
  await pass(3_000);
  expect(told()).toEqual(['clock-off-database raised']);
  state = GOOD;
  await pass(3_000);
  expect(told()).toEqual(['clock-off-database raised', 'clock-off-database cleared']);
});

it('records what is left when it ends', async () => {
  alarms.set('disk-nearly-full', true);
  await watch.stop();
  expect(appended).toHaveLength(1);
});
