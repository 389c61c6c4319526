import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlarmReceiver, alarmReceiver } from '../support/alarm-receiver.js';
import { answerTo, type TimeServer, timeServer } from '../support/time-server.js';
import { startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';

/** The postmaster of a data folder and every process of it. */
function postgresOf(dataDir: string): number[] {
  const { pid } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as { pid: number };
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]) === pid;
      } catch {
        return false;
      }
    });
  return [pid, ...children.map(Number)];
}

describe('a database that stands still under a running gateway', () => {
  let receiver: AlarmReceiver;
  let time: TimeServer;
  let yaml: string;
  let system: System;
  let stopped: number[] = [];
  beforeAll(async () => {
    receiver = await alarmReceiver();
    time = await timeServer((question) => [answerTo(question, Date.now() + 42_000)]);
    yaml = `${WIDE_LIMITS}
audit: { alarm: { after: 1s, freeSpace: 999999999mb, url: '${receiver.url}', caFile: '${receiver.caFile}' } }
time: { source: ['ntp://127.0.0.1:${time.port}'] }
`;
    system = await startSystem({ env: { GATEHOUSE_ALARM_TOKEN: 'alarm-secret' }, yaml });
  });
  afterAll(async () => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    await system.stop();
    await receiver.stop();
    await time.stop();
  });

  const metrics = async (): Promise<string> => {
    const headers = { authorization: `Bearer ${system.credentials.opsToken}` };
    return (await system.call(`${system.credentials.adminUrl}/metrics`, { headers })).text;
  };
  const gauge = (text: string) => Number(/^gatehouse_alarm\{[^}]*alarm="log-unwritable"[^}]*\} (\d)/m.exec(text)?.[1]);

  const told = () => receiver.taken.filter(({ alarm }) => alarm === 'log-unwritable');
  const filed = () =>
    readFileSync(join(system.dataDir, 'alarms.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AlarmReceiver['taken'][number] & { pid: number })
      .filter(({ alarm }) => alarm === 'log-unwritable')
      .map(({ alarm, state, at, instance, origin }) => ({ alarm, state, at, instance, origin }));

  it('lists in its health what is raised', async () => {
    const { body } = await until(async () => {
      const answer = await system.admin<{ alarms: { alarm: string; since: string }[] }>('/health');
      return answer.body.alarms.length > 1 && answer;
    });
    const since = expect.any(String) as string;
    expect(body.alarms).toEqual([
      { alarm: 'disk-nearly-full', since },
      { alarm: 'clock-off', since },
    ]);
  });

  it('records that the clock is off its source, and shows by how much', async () => {
    const drift = await until(async () => {
      const { body } = await system.admin<{ items: { record: { detail: { offsetUs: number; source: string } } }[] }>(
        '/audit/records?kind=clock.drift',
      );
      return body.items[0]?.record.detail;
    });
    expect(drift.source).toBe(`ntp://127.0.0.1:${time.port}`);
    expect(Math.abs(drift.offsetUs - 42_000_000)).toBeLessThan(1_000_000);
    const text = await metrics();
    const offset = (source: string) =>
      Number(new RegExp(`^gatehouse_clock_offset\\w*\\{[^}]*source="${source}"[^}]*\\} (\\S+)`, 'm').exec(text)?.[1]);
    expect(Math.abs(offset(drift.source) - 42)).toBeLessThan(1);
    expect(Math.abs(offset('database'))).toBeLessThan(1);
  });

  it('is told to the receiver, the metrics and the file while it is away, and recorded when it is back', async () => {
    expect(gauge(await metrics())).toBe(0);
    const stoppedAt = Date.now();
    stopped = postgresOf(system.dataDir);
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    await until(() => Promise.resolve(told().length > 0));
    expect(told()).toEqual([
      {
        alarm: 'log-unwritable',
        state: 'raised',
        at: expect.any(String) as string,
        instance: expect.any(String) as string,
        origin: 'gatehouse.local/log',
      },
    ]);
    // The bound, the two seconds between two questions, and some for a busy machine.
    expect(Date.parse(told()[0]!.at) - stoppedAt).toBeLessThan(8_000);
    expect(receiver.authorizations).toEqual(new Set(['Bearer alarm-secret']));
    expect(gauge(await metrics())).toBe(1);
    await until(() => Promise.resolve(filed().length === 1));
    expect(filed()).toEqual(told());

    for (const pid of stopped.splice(0)) process.kill(pid, 'SIGCONT');
    await until(() => Promise.resolve(told().length > 1));
    expect(told().map(({ state }) => state)).toEqual(['raised', 'cleared']);
    expect(gauge(await metrics())).toBe(0);
    await until(() => Promise.resolve(filed().length === 2));
    const recorded = await until(async () => {
      const { body } = await system.admin<{
        items?: { record: { at: string; detail: { alarm: string; state: string } } }[];
      }>('/audit/records?kind=gateway.alarm');
      const found = body.items?.filter(({ record: { detail } }) => detail.alarm === 'log-unwritable');
      return found?.length === 2 && found;
    });
    expect(recorded.map(({ record: { at, detail } }) => ({ at, ...detail })).reverse()).toEqual(
      told().map(({ at, alarm, state }) => ({ at, alarm, state })),
    );
  });

  it('ends after a crash with the next start, which tells so in place of the one that is gone', async () => {
    const [{ instance, at } = { instance: '', at: '' }] = receiver.taken.filter(
      ({ alarm }) => alarm === 'disk-nearly-full',
    );
    await system.kill();
    receiver.forget();
    system = await startSystem({ dataDir: system.dataDir, yaml: yaml.replace('999999999mb', '1kb') });
    await until(() => Promise.resolve(receiver.taken.some(({ alarm }) => alarm === 'disk-nearly-full')));
    expect(receiver.taken.find(({ alarm }) => alarm === 'disk-nearly-full')).toMatchObject({
      state: 'cleared',
      instance,
    });
    const detail = await until(async () => {
      const { body } = await system.admin<{ items: { record: { detail: { alarm: string; instance?: string } } }[] }>(
        '/audit/records?kind=gateway.alarm',
      );
      return body.items
        .map(({ record }) => record.detail)
        .find((one) => one.instance === instance && one.alarm === 'disk-nearly-full');
    });
    expect(detail).toMatchObject({ state: 'cleared', instance, since: at });
  });
});
