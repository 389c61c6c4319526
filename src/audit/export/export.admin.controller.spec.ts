import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { FastifyReply } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRecord, appConnection, openTestLog, sequenceAll, type TestLog } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { type Call, SystemClock, uuidv7 } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import { Pooled } from '../pooled.js';
import { RecordSearch } from '../search.js';
import { ExportAdminController } from './export.admin.controller.js';
import { exportQuery } from './selection.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;
let controller: ExportAdminController;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  connection = appConnection(database.superuserUrl);
  controller = new ExportAdminController(new Pooled(database.database), log.auditLog, new SystemClock());
  await log.auditLog.append(aRecord());
  await sequenceAll(connection);
});

afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
});

/** An export as an administrator asks for it, and what leaves. */
async function ask(query: Record<string, string> = {}) {
  const gone = new AbortController();
  const caller = {
    kind: 'administrator',
    id: 'a-1',
    name: 'ana',
    roles: new Set(['auditor']),
    tokenId: 't-1',
  } as const;
  const call = { id: uuidv7(), traceId: 'trace', signal: gone.signal, caller } as unknown as Call;
  let sent: Readable | undefined;
  const reply = { header: () => reply, send: (stream: Readable) => (sent = stream) } as unknown as FastifyReply;
  await controller.export(call, exportQuery.parse({ format: 'jsonl', ...query }), reply);
  if (sent === undefined) throw new Error('nothing was sent');
  return { call, stream: sent, leave: () => gone.abort() };
}

describe('an export over HTTP', () => {
  it('is in the log before its first byte, with its filters by name alone', async () => {
    const { call, stream } = await ask({ subject: 'Ana Example', fromSeq: '0' });
    const { items } = await new RecordSearch(database.database).list({ kind: 'admin.act' }, 10, undefined);
    expect(items[0]?.record).toMatchObject({
      call: call.id,
      actor: 'a-1',
      credential: 't-1',
      detail: { act: 'audit.exported', format: 'jsonl', filters: ['fromSeq', 'subject'], first: 0, past: 1 },
    });
    expect(JSON.stringify(items)).not.toContain('Ana Example');
    expect(await text(stream)).toBe('');
  });

  it('is one of a few at once, and one that is left makes room', async () => {
    const one = await ask();
    const two = await ask();
    await expect(ask()).rejects.toMatchObject({ code: 'overloaded', rule: 'audit.exports-at-once' });
    one.leave();
    await once(one.stream, 'close');
    const three = await ask();
    for (const { stream } of [two, three]) expect((await text(stream)).split('\n').length).toBeGreaterThan(1);
    await text((await ask()).stream);
  });
});
