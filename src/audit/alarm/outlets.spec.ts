import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { alarmReceiver, type AlarmReceiver } from '../../../test/support/alarm-receiver.js';
import { Log, Secret } from '../../platform/index.js';
import { AlarmFile } from './alarm-file.js';
import { AlarmSender } from './alarm-sender.js';
import type { AlarmEvent } from './alarms.js';

const log = new Log('silent');
const event = (over: Partial<AlarmEvent> = {}): AlarmEvent => ({
  alarm: 'log-unwritable',
  state: 'raised',
  at: '2026-03-10T08:00:00.000Z',
  instance: 'spec',
  origin: 'spec.example/log',
  ...over,
});

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-alarms-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the file of alarms', () => {
  it('holds a line each, in order', async () => {
    const file = new AlarmFile(join(dir, 'fresh', 'alarms.jsonl'), log);
    await Promise.all([file.write(event()), file.write(event({ state: 'cleared' }))]);
    const lines = (await readFile(file.path, 'utf8')).trimEnd().split('\n');
    const { pid } = process;
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { ...event(), pid },
      { ...event({ state: 'cleared' }), pid },
    ]);
  });

  it('tells what instances that are no more have left raised', async () => {
    const file = new AlarmFile(join(dir, 'left.jsonl'), log, 300);
    const forgotten = event({ instance: 'gone', alarm: 'disk-nearly-full' });
    await file.write(forgotten);
    await file.write(event());
    await file.write(event({ state: 'cleared' }));
    await appendFile(file.path, '{"alarm":"log-unwri');
    expect(await file.left(() => false)).toEqual([forgotten]);
    expect(await file.left(() => true)).toEqual([]);
    expect(await new AlarmFile(join(dir, 'none.jsonl'), log).left(() => false)).toEqual([]);
  });

  it('is bounded by itself and the one before it', async () => {
    const file = new AlarmFile(join(dir, 'bounded.jsonl'), log, 400);
    for (let n = 0; n < 20; n += 1) await file.write(event());
    for (const path of [file.path, `${file.path}.old`]) {
      const text = await readFile(path, 'utf8');
      expect(text.length).toBeLessThanOrEqual(400);
      expect(text.endsWith('}\n')).toBe(true);
    }
  });

  it('tells the operational log when it cannot be written, and refuses nobody', async () => {
    const error = vi.fn();
    await new AlarmFile('/dev/null/alarms.jsonl', { error }).write(event());
    expect(error).toHaveBeenCalledOnce();
  });
});

describe('the posting of alarms', () => {
  let receiver: AlarmReceiver;
  beforeAll(async () => {
    receiver = await alarmReceiver();
  });
  afterAll(() => receiver.stop());

  const sender = (over: object = {}): AlarmSender =>
    new AlarmSender({
      url: receiver.url,
      token: new Secret('s3cret'),
      caFile: receiver.caFile,
      log,
      pauseMs: 10,
      ...over,
    });

  it('tries until each is taken, in order, with its secret', async () => {
    receiver.forget();
    receiver.refuse(3);
    const posting = sender();
    posting.send(event());
    posting.send(event({ state: 'cleared' }));
    await vi.waitFor(() => expect(receiver.taken).toHaveLength(2), { timeout: 5_000 });
    expect(receiver.taken).toEqual([event(), event({ state: 'cleared' })]);
    expect(receiver.refused).toBe(3);
    expect(receiver.authorizations).toEqual(new Set(['Bearer s3cret']));
    await posting.stop();
  });

  it('posts to nobody whose certificate is of another CA', async () => {
    receiver.forget();
    const warn = vi.fn();
    const posting = sender({ caFile: undefined, log: { warn, error: vi.fn() } });
    posting.send(event());
    await vi.waitFor(() => expect(warn).toHaveBeenCalled(), { timeout: 5_000 });
    await posting.stop();
    expect(receiver.taken).toEqual([]);
  });

  it('keeps the latest when nobody takes any, and ends without waiting', async () => {
    receiver.forget();
    receiver.refuse(Infinity);
    const error = vi.fn();
    const posting = sender({ pauseMs: 60_000, log: { warn: vi.fn(), error } });
    for (let n = 0; n < 300; n += 1) posting.send(event({ instance: `n${n}` }));
    expect(error).toHaveBeenCalled();
    receiver.refuse(0);
    await posting.stop();
    expect(receiver.taken.at(-1)).toMatchObject({ instance: 'n299' });
    // The bound, and the one that was under way when it was reached.
    expect(receiver.taken.length).toBeLessThanOrEqual(257);
  });

  it('says which setting is wrong', () => {
    expect(() => sender({ caFile: join(dir, 'none.pem') })).toThrow(/audit.alarm.caFile/);
  });
});
