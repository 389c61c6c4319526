import type { KeyObject } from 'node:crypto';
import { APP_ROLE, type Clock, type Config, ConfigError, type Log, uuidv7 } from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import { APPEND_SQL, appendParameters } from '../batcher.js';
import { Connection } from '../connection.js';
import type { RecordInput } from '../record.js';
import { Checkpointer, ForkedLog, type RefusedNote } from './checkpointer.js';
import { KeptCheckpoint } from './kept-checkpoint.js';
import { LogStore } from './log-store.js';
import { noteSigner, type NoteSigner, noteVerifier } from './note.js';

export interface SigningParts {
  /** Folder of the last checkpoint that the instance has seen, outside the database. */
  dir: string;
  /** Ed25519 keys that sign the log: the present one and, while it is rotated, the one before. */
  keys: readonly KeyObject[];
}

/** The signing of the log as an instance runs it. */
export interface Signing {
  checkpointer: Checkpointer;
  signers: readonly NoteSigner[];
  start(): void;
  /** Signs what is left and closes the connection. */
  stop(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
/** How often a record tells the chain of checkpoints, so that one taken out of it is missed. */
const TELL_CHECKPOINTS_MS = 3_600_000;

/** @throws ConfigError when the database does not extend what this instance saw signed. */
export async function openSigning(
  { config, clock, log, url }: { config: Pick<Config, 'audit'>; clock: Clock; log: Log; url: string },
  { dir, keys }: SigningParts,
  auditLog: AuditLog,
): Promise<Signing> {
  const timeouts = { statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: TIMEOUT_MS };
  const connection = new Connection({ url, role: APP_ROLE, applicationName: 'gatehouse-checkpoints', ...timeouts });
  const { origin } = auditLog;
  const signers = keys.map((key) => noteSigner(origin, key));
  const store = new LogStore(connection);
  const kept = new KeptCheckpoint(dir, origin);
  const everyMs = config.audit.checkpointEvery;
  const append = async (kind: RecordInput['kind'], detail: NonNullable<RecordInput['detail']>): Promise<void> => {
    const entry = auditLog.entry(logRecord(clock, kind, detail));
    await connection.query({ text: APPEND_SQL, values: appendParameters([entry]) });
  };
  const refuse = (refused: RefusedNote): Promise<void> => append('log.checkpoint-refused', { ...refused });
  const checkpointer = new Checkpointer({ store, kept, origin, signers, everyMs, log, refuse });
  try {
    await checkpointer.open((await store.keys()).map(noteVerifier).filter(({ name }) => name === origin));
    await tellKeys(connection, auditLog, clock, signers);
    await tellCheckpoints(store, append);
  } catch (error) {
    await connection.close();
    throw error instanceof ForkedLog ? forked(error, kept.path) : error;
  }
  let telling: NodeJS.Timeout | undefined;
  const tell = (): void => {
    tellCheckpoints(store, append).catch((error: unknown) =>
      log.warn('the chain of checkpoints was not told', { error }),
    );
  };
  return {
    checkpointer,
    signers,
    start: () => {
      checkpointer.start();
      telling = setInterval(tell, TELL_CHECKPOINTS_MS).unref();
    },
    stop: async () => {
      clearInterval(telling);
      await checkpointer.stop();
      await connection.close();
    },
  };
}

function forked({ reason }: ForkedLog, path: string): ConfigError {
  const way = 'after a restore `gatehouse new-origin NAME` begins the log under another name';
  return new ConfigError(`${reason} (${path}); ${way}`, 'audit.origin');
}

/** A key that signs is told in the log itself, so that whoever trusts the present one can trust those before it. */
async function tellKeys(
  connection: Connection,
  auditLog: AuditLog,
  clock: Clock,
  signers: readonly NoteSigner[],
): Promise<void> {
  for (const { verifier } of signers) {
    const entry = auditLog.entry(logRecord(clock, 'log.key', { vkey: verifier.vkey }));
    await connection.query({
      text: 'SELECT CASE WHEN audit.keep_key($4) THEN audit.append($1::uuid[], $2::bytea[], $3::bytea[]) END',
      values: [...appendParameters([entry]), verifier.vkey],
    });
  }
}

/** The checkpoints so far, in a record that later ones cover. */
async function tellCheckpoints(
  store: LogStore,
  append: (kind: 'log.checkpoints', detail: NonNullable<RecordInput['detail']>) => Promise<void>,
): Promise<void> {
  const chain = await store.chain();
  if (chain !== undefined) await append('log.checkpoints', chain);
}

function logRecord(clock: Clock, kind: RecordInput['kind'], detail: RecordInput['detail']): RecordInput {
  const at = clock.now();
  return { id: uuidv7(at.getTime()), at: at.toISOString(), kind, detail };
}
