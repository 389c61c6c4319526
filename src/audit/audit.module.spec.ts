import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aRecord, openTestLog } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { Clock, CONFIG, Database, Keyring, loadConfig, Log, Outbox, SystemClock } from '../platform/index.js';
import { openAudit } from './audit.js';
import { AuditLog } from './audit-log.js';
import { AuditModule } from './audit.module.js';
import { CallWriter } from './call-writer.js';
import { RecordSearch } from './search.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

const head = async (): Promise<number> => {
  const [row] = await database.database.query<{ size: string }>('SELECT size FROM audit.head');
  return Number(row?.size);
};

describe('the module', () => {
  it('numbers while it runs and writes and numbers what is left when it ends', async () => {
    const audit = await openTestLog(database.superuserUrl);
    @Global()
    @Module({
      providers: [
        { provide: Database, useValue: database.database },
        { provide: Keyring, useValue: new Keyring(Buffer.alloc(32)) },
        { provide: Clock, useValue: new SystemClock() },
        { provide: Outbox, useValue: new Outbox(database.database) },
        { provide: Log, useValue: new Log('silent') },
        { provide: CONFIG, useValue: loadConfig({}) },
      ],
      exports: [Database, Keyring, Outbox, Clock, Log, CONFIG],
    })
    class Platform {}
    @Module({ imports: [Platform, AuditModule.with(audit)] })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
    const log = app.get(AuditLog);
    expect(app.get(CallWriter)).toBe(audit.callWriter);
    expect(app.get(RecordSearch)).toBeInstanceOf(RecordSearch);
    await log.append(aRecord());
    await vi.waitFor(async () => expect(await head()).toBe(1), { timeout: 3_000 });
    const last = Promise.all([log.append(aRecord()), log.append(aRecord())]);
    await app.close();
    await last;
    expect(await head()).toBe(3);
    await expect(log.append(aRecord())).rejects.toMatchObject({ code: 'shutting-down' });
  });

  it('does not open the log of a database that has another name', async () => {
    const config = loadConfig({});
    const opening = openAudit({
      config: { ...config, audit: { ...config.audit, origin: 'other.example/log' } },
      clock: new SystemClock(),
      log: new Log('silent'),
      url: database.superuserUrl,
      instance: 'spec',
      dir: '/nonexistent',
    });
    await expect(opening).rejects.toMatchObject({ name: 'ConfigError', setting: 'audit.origin' });
  });

  it('refuses what can be no record as a defect of ours, before anything is sent', async () => {
    const audit = await openTestLog(database.superuserUrl);
    await expect(audit.auditLog.append(aRecord({ id: 'x' }))).rejects.toMatchObject({ code: 'internal' });
    const inTransaction = database.database.transaction((tx) =>
      audit.auditLog.appendIn(tx, aRecord({ detail: { share: 0.5 } })),
    );
    await expect(inTransaction).rejects.toMatchObject({ code: 'internal' });
    await audit.stop();
  });
});
