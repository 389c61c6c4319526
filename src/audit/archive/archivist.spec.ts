import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  DEFAULT_RETENTION,
  keeping,
  OLD,
  type OldLog,
  type OldLogs,
  PARTITION,
  startOldLogs,
  SUBJECT,
} from '../../../test/support/archive.js';
import { appConnection, aRecord, openTestLog, sequenceAll, withClient } from '../../../test/support/audit.js';
import { APP_ROLE, Database, loadConfig, SystemClock } from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import { LegalHolds } from '../holds/legal-holds.js';
import type { Archived, Archivist } from './archivist.js';
import { asArchivist } from './open-archivist.js';
import { keepOf } from './retention.js';

const NAME = 'log-000000000000';

let logs: OldLogs;
let log: OldLog;

beforeAll(async () => {
  logs = await startOldLogs();
});
afterAll(() => logs.stop());
beforeEach(async () => {
  log = await logs.another();
});

describe('what stays', () => {
  const because = async (keep = keeping()): Promise<string | undefined> => {
    const [first] = await log.as((archivist) => archivist.run(), { keep });
    return first?.because;
  };

  const hold = (...scope: (string | null)[]) =>
    log
      .rows<{ id: string }>(
        `WITH named AS (SELECT gen_random_uuid() AS id)
       SELECT id::text, audit.place_hold(id, $1, $2, $3, $4, 'litigation', 'me', now()) FROM named`,
        scope,
      )
      .then(([placed]) => placed?.id ?? '');

  it('is what a legal hold touches, until it is released', async () => {
    await hold('subject', 'somebody-else', null, null);
    await hold('period', null, null, '2001-01-01T00:00:00Z');
    for (const scope of [
      ['all', null, null, null],
      ['subject', SUBJECT, null, null],
      ['client', '0190a7b2-1111-7000-8000-000000000001', null, null],
      ['verification', '0190a7b2-2222-7000-8000-000000000001', null, null],
      ['period', null, OLD, null],
      ['period', null, null, new Date().toISOString()],
    ]) {
      const id = await hold(...scope);
      expect(await because()).toBe(`the legal hold ${id} touches them`);
      await log.rows(`SELECT audit.release_hold($1, 'settled', 'me', now())`, [id]);
    }
    expect(await log.attached()).toContain(0);
    expect(await because()).toBeUndefined();
    expect(await log.attached()).not.toContain(0);
  });

  it('is held from erasure when a hold on others may touch what was archived', async () => {
    const holds = await openHolds();
    const { subject: online = '' } = aRecord();
    expect([await holds.held('nobody'), await holds.held(online)]).toEqual([false, false]);
    await log.run();
    await hold('client', 'somebody-else', null, null);
    expect([await holds.held('nobody'), await holds.held(online)]).toEqual([true, false]);
    await holds.close();
  });

  async function openHolds() {
    const database = await Database.open({
      url: log.url,
      role: APP_ROLE,
      poolSize: 2,
      statementTimeoutMs: 10_000,
      applicationName: 'gatehouse-spec',
    });
    const holds = new LegalHolds(database, {} as AuditLog, new SystemClock());
    return {
      held: (subject: string) => database.transaction((tx) => holds.holdsSubject(tx, subject)),
      close: () => database.close(),
    };
  }

  it('is what has a kind whose retention is not over, or that has none', async () => {
    expect(await because(keepOf(DEFAULT_RETENTION))).toMatch(/^the retention of (incident.act|log.key) is not over$/);
    expect(await because(keeping({ incidents: 501 * 86_400_000 }))).toBe('the retention of incident.act is not over');
    expect(await because(keeping({ calls: 501 * 86_400_000 }))).toBe('the retention of call is not over');
    const { 'log.key': _, ...others } = keeping();
    expect(await because(others)).toBe('the retention of log.key is not over');
    expect(await because({})).toBe('the retention of call is not over');
    expect(await because(keeping({ incidents: 499 * 86_400_000, calls: 499 * 86_400_000 }))).toBeUndefined();
  });

  it('is what the archivist may not take: not the oldest, not whole, not under a record of its own', async () => {
    const sha = 'sha256(0::text::bytea)';
    await log.asRole(async (query) => {
      const detach = (first: number, record = `'{}'`) =>
        query(
          `SELECT audit.detach(${first}, ${sha}, '${JSON.stringify(keeping())}', gen_random_uuid(), ${record}::text::bytea)`,
        );
      await expect(detach(512)).rejects.toThrow(/older ones that never left are attached/);
      await expect(detach(1024)).rejects.toThrow(/no checkpoint covers/);
      await expect(detach(256)).rejects.toThrow(/no attached partition/);
      await expect(detach(0)).rejects.toThrow(/does not tell what is done/);
      await expect(detach(0, `'{"kind":"admin.act","detail":{"first":0}}'`)).rejects.toThrow(/does not tell/);
      await expect(query(`SELECT audit.drop_detached(0, ${sha})`)).rejects.toThrow(/not detached under this manifest/);
      await expect(query(`SELECT audit.begin_restore(0, ${sha})`)).rejects.toThrow(/not away under this manifest/);
      await expect(query('DROP TABLE audit.log_000000000000')).rejects.toThrow(/must be owner/);
      await expect(query('ALTER TABLE audit.log DETACH PARTITION audit.log_000000000000')).rejects.toThrow(
        /must be owner/,
      );
      await expect(query(`SELECT audit.append('{}', '{}')`)).rejects.toThrow(/permission denied/);
      await expect(
        query(`SELECT audit.tell_archiving('log.archived', 0, ${sha}, gen_random_uuid(), '')`),
      ).rejects.toThrow(/permission denied/);
      await expect(query(`INSERT INTO audit.archived VALUES (0, 1, ${sha}, ${sha}, '{}')`)).rejects.toThrow(
        /permission denied/,
      );
    });
  });
});

describe('nobody but the archivist', () => {
  it.each(['gatehouse_app', 'gatehouse_auditor'])('archives: not %s', async (role) => {
    await withClient(log.url, async (client) => {
      await client.query(`SET ROLE ${role}`);
      for (const call of [
        `audit.kept_because(0, '{}')`,
        `audit.detach(0, '', '{}', gen_random_uuid(), '')`,
        `audit.drop_detached(0, '')`,
        `audit.begin_restore(0, '')`,
        `audit.restore(0, 0, '{}', '{}')`,
        `audit.end_restore(0, '', gen_random_uuid(), '')`,
        `audit.tell_archiving('', 0, '', gen_random_uuid(), '')`,
      ])
        await expect(client.query(`SELECT ${call}`), call).rejects.toThrow(/permission denied for function/);
      for (const table of ['archived', 'away', 'partition', 'legal_hold'])
        await expect(client.query(`SELECT FROM audit.${table}`)).resolves.toBeDefined();
      for (const table of ['archived', 'legal_hold'])
        await expect(client.query(`INSERT INTO audit.${table} DEFAULT VALUES`)).rejects.toThrow(/permission denied/);
    });
  });

  it('is admitted: a login needs the role, and with it nothing more', async () => {
    const login = new URL(log.url);
    login.username = `keeper_${process.pid}`;
    login.password = 'open-sesame';
    await log.rows(`CREATE ROLE ${login.username} LOGIN PASSWORD '${login.password}'`);
    const retention = { calls: 0, access: 0, webhooks: 0, administration: 0, incidents: 0, log: 0 };
    const config = { audit: { ...loadConfig({}).audit, retention } };
    const archive = () =>
      asArchivist({ config, clock: new SystemClock(), url: login.href, dir: log.dir }, (archivist) => archivist.run());
    await expect(archive()).rejects.toMatchObject({ name: 'ConfigError', setting: 'DATABASE_ARCHIVE_URL' });
    await log.rows(`GRANT gatehouse_archivist TO ${login.username}`);
    await archive();
    expect(await log.attached()).toEqual([1024, 1536, 2048]);
  });

  it('changes what was archived or held, not even the owner', async () => {
    await log.run();
    await log.rows(`SELECT audit.place_hold(gen_random_uuid(), 'all', NULL, NULL, NULL, 'litigation', 'me', now())`);
    await log.rows(`UPDATE audit.legal_hold SET released_by = 'me', released_at = now(), release_reason = 'x'`);
    for (const change of [
      'UPDATE audit.archived SET past = past + 1',
      'DELETE FROM audit.archived',
      'TRUNCATE audit.archived',
      'DELETE FROM audit.legal_hold',
      'TRUNCATE audit.legal_hold',
      `UPDATE audit.legal_hold SET reason = 'other'`,
      'UPDATE audit.legal_hold SET released_by = NULL, released_at = NULL, release_reason = NULL',
    ])
      await expect(log.rows(change), change).rejects.toThrow(/is refused/);
  });
});

describe('a run that was killed', () => {
  it.each([
    ['while it wrote', 'writing', 1],
    ['before the archive was verified', 'verifying', 1],
  ])('%s leaves the log as it was, and the next one does it all', async (_when, step, nth) => {
    await log.stopAt(step, nth);
    expect(await log.attached()).toEqual([0, 512, 1024, 1536, 2048]);
    expect(await log.rows('SELECT FROM audit.archived')).toEqual([]);
    await log.run();
    expect(await log.attached()).toEqual([1024, 1536, 2048]);
    expect((await readdir(log.dir)).toSorted()).toEqual([NAME, 'log-000000000512']);
  });

  it('before it dropped what it had detached leaves that as it is, refusing every change, for the next one to drop', async () => {
    await log.stopAt('verifying', 2);
    expect(await log.attached()).toEqual([512, 1024, 1536, 2048]);
    expect(await log.rows('SELECT first, undropped FROM audit.away')).toEqual([{ first: '0', undropped: true }]);
    for (const change of [
      `UPDATE audit.log_000000000000 SET bytes = ''`,
      'DELETE FROM audit.log_000000000000',
      'TRUNCATE audit.log_000000000000',
    ])
      await expect(log.rows(change)).rejects.toThrow(/is refused/);
    await log.run();
    expect(await log.attached()).toEqual([1024, 1536, 2048]);
    expect((await log.told('log.archived')).map(({ first }) => first)).toEqual([0, 512]);
    expect(await log.rows('SELECT first, undropped FROM audit.away ORDER BY first')).toEqual([
      { first: '0', undropped: false },
      { first: '512', undropped: false },
    ]);
  });

  it('in the middle of restoring leaves the records away, and the next one brings them back', async () => {
    await log.run();
    const before = await log.attached();
    const onProgress = (what: string): void => {
      if (what === 'restoring') throw new Error('killed');
    };
    const restoring = (archivist: Archivist) => archivist.restore(0);
    await expect(log.as(restoring, { onProgress })).rejects.toThrow('killed');
    expect(await log.attached()).toEqual(before);
    await log.as(restoring);
    expect(await log.attached()).toEqual([0, ...before]);
  });

  it('does not run beside another', async () => {
    await log.as(async (archivist) => {
      await archivist.run({ dryRun: true });
      await expect(log.run()).rejects.toThrow(/another archiving is under way/);
    });
  });
});

describe('writers', () => {
  it('go on while partitions leave, and whoever detaches gives way to a reader', async () => {
    const writer = await openTestLog(log.url, 'writer', true);
    writer.start();
    let longest = 0;
    let written = 0;
    const done = new AbortController();
    const writing = (async () => {
      while (!done.signal.aborted) {
        const begun = performance.now();
        await writer.auditLog.append(aRecord());
        longest = Math.max(longest, performance.now() - begun);
        written += 1;
      }
    })();
    const archived = await withClient(log.url, async (reader) => {
      await reader.query('BEGIN');
      await reader.query('SELECT FROM audit.log LIMIT 1');
      const running: Promise<Archived[]> = log.run();
      for (const waits of [true, false])
        await vi.waitFor(async () => expect(await waitsForLog()).toBe(waits), { timeout: 5_000, interval: 20 });
      await reader.query('COMMIT');
      return running;
    });
    done.abort();
    await writing;
    await writer.stop();
    expect(archived.slice(0, 2)).toMatchObject([{ first: 0 }, { first: 512 }]);
    expect(archived[0]).not.toHaveProperty('because');
    expect(written).toBeGreaterThan(100);
    expect(longest).toBeLessThan(2_000);
  });

  async function waitsForLog(): Promise<boolean> {
    const found = await log.rows(`SELECT FROM pg_locks WHERE relation = 'audit.log'::regclass AND NOT granted`);
    return found.length > 0;
  }
});

describe('partitions', () => {
  it('are made ahead: beyond what is written there is always a whole one', async () => {
    const writer = await openTestLog(log.url);
    const connection = appConnection(log.url);
    for (const most of [1, 100, 511, 512, 300]) {
      await Promise.all(Array.from({ length: most }, () => writer.auditLog.append(aRecord())));
      const size = await sequenceAll(connection);
      const [last] = await log.rows<{ first: string; past: string }>(
        'SELECT * FROM audit.partition ORDER BY first DESC LIMIT 1',
      );
      expect(Number(last?.first)).toBeGreaterThanOrEqual(size);
      expect(Number(last?.past) - Number(last?.first)).toBe(PARTITION);
    }
    await connection.close();
    await writer.stop();
  });
});
