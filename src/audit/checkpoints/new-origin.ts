import { Client } from 'pg';
import { type Clock, uuidv7 } from '../../platform/index.js';
import { APPEND_SQL, appendParameters } from '../batcher.js';
import { recordBytes, type RecordInput } from '../record.js';

export interface NewOrigin {
  previous: string;
  origin: string;
  /** Number of the first record under the new name. */
  first: number;
}

/** No round of the sequencer takes longer; an instance that still runs is told apart from one that is slow. */
const LOCK_TIMEOUT_MS = 5_000;

/** Connections through which an instance, or a verb that works like one, writes under the name it was started with. */
const WRITERS = ['gatehouse-audit', 'gatehouse-sequencer', 'gatehouse-checkpoints'];

/**
 * Begins the log under another name, after a restore to an earlier point: what the old name signed beyond that point is gone, and nothing
 * under that name may be signed again. The first record under the new name tells the old one and where it ended. Run as the migrating
 * role while no instance runs; the setting `audit.origin` is changed with it.
 * @throws TypeError when the log already has, or had, this name, or when an instance still runs
 */
export async function beginOrigin(url: string, origin: string, reason: string, clock: Clock): Promise<NewOrigin> {
  const client = new Client({
    connectionString: url,
    application_name: 'gatehouse-new-origin',
    lock_timeout: LOCK_TIMEOUT_MS,
  });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query('SET LOCAL ROLE gatehouse_owner');
    const begun = await begin(client, origin, reason, clock);
    await client.query('COMMIT');
    return begun;
  } finally {
    await client.end();
  }
}

async function begin(client: Client, origin: string, reason: string, clock: Clock): Promise<NewOrigin> {
  await client.query('SELECT FROM audit.head FOR UPDATE');
  await mustBeAlone(client);
  await numberAll(client);
  const { rows } = await client.query<{ origin: string; size: string; root: Buffer; known: boolean }>(
    'SELECT origin, size, root, EXISTS (SELECT FROM audit.origin WHERE name = $1) AS known FROM audit.head',
    [origin],
  );
  const [head] = rows;
  if (head === undefined || head.origin === null) throw new TypeError('the log has no name yet');
  if (head.known) throw new TypeError('the log has, or had, this name already');
  await client.query('SELECT audit.begin_origin($1)', [origin]);
  const at = clock.now();
  const record: RecordInput = {
    id: uuidv7(at.getTime()),
    at: at.toISOString(),
    kind: 'log.origin',
    detail: { previous: head.origin, size: Number(head.size), root: head.root.toString('hex'), reason },
  };
  const bytes = recordBytes(record, { origin, instance: 'new-origin' });
  await client.query(APPEND_SQL, appendParameters([{ id: record.id, bytes, key: null }]));
  await numberAll(client);
  return { previous: head.origin, origin, first: Number(head.size) };
}

/** What is written under the old name behind the new one's first record could never be verified, nor taken out again. */
async function mustBeAlone(client: Client): Promise<void> {
  const { rows } = await client.query(
    'SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY ($1) LIMIT 1',
    [WRITERS],
  );
  if (rows.length > 0) throw new TypeError('cannot begin while an instance still runs on this database');
}

/** Records that wait still bear the old name: they get their numbers under it. */
async function numberAll(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ moved: number }>('SELECT moved FROM audit.sequence()');
    if (rows[0] === undefined || rows[0].moved === 0) return;
  }
}
