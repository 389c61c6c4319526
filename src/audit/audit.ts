import { hash } from 'node:crypto';
import { APP_ROLE, type Clock, type Config, ConfigError, type Log } from '../platform/index.js';
import { type Alarming, openAlarms } from './alarm/open-alarms.js';
import { openAnchoring } from './anchors/open-anchoring.js';
import { AuditLog } from './audit-log.js';
import { AuditMetrics } from './audit-metrics.js';
import { Batcher } from './batcher.js';
import { CallWriter } from './call-writer.js';
import { openSigning, type Signing, type SigningParts } from './checkpoints/signing.js';
import { Connection } from './connection.js';
import { JournalDrain } from './journal-drain.js';
import { RefusalsJournal } from './refusals-journal.js';
import { Sequencer } from './sequencer.js';
import { openSiem, type Siem } from './siem/siem.js';

export interface AuditParts {
  config: Pick<Config, 'audit' | 'policy' | 'siem' | 'time'>;
  clock: Clock;
  log: Log;
  /** Postgres; the connections take on the application's role. */
  url: string;
  /** Name of this run of an instance, in every record that it writes. */
  instance: string;
  /** Folder of the instance's journal of refusals. */
  dir: string;
  /** Folder whose disk is watched, with the file of alarms. Without it nothing is watched. */
  dataDir?: string | undefined;
  /** Without it records are written and numbered, and others sign. */
  signing?: SigningParts | undefined;
}

/** The log as an instance runs it. */
export interface Audit {
  auditLog: AuditLog;
  callWriter: CallWriter;
  signing: Signing | undefined;
  siem: Siem;
  alarming: Alarming | undefined;
  /** Begins to number records and to drain what earlier runs left in the journal. */
  start(): void;
  /** Writes and numbers what is left, and closes the connections; `auditLog` takes nothing more. */
  stop(): Promise<void>;
}

/** A statement that got no answer is given up well within the patience of those who wait, so that it can be asked for and sent again. */
const APPEND_TIMEOUT_MS = 1_000;
/** The head is held for a second at most; this is for what comes before and after. */
const SEQUENCER_TIMEOUT_MS = 2_000;

/**
 * Opens the log with three connections of its own, beside the gateway's pool.
 * @throws ConfigError when the log of this database has another name, or does not extend what this instance saw signed
 */
export async function openAudit(parts: AuditParts): Promise<Audit> {
  const { config, clock, url, instance, log } = parts;
  const appending = connect(url, 'gatehouse-audit', APPEND_TIMEOUT_MS);
  const numbering = connect(url, 'gatehouse-sequencer', SEQUENCER_TIMEOUT_MS);
  const batcher = new Batcher(appending, clock);
  const sequencer = new Sequencer(numbering, config.audit.sequenceEvery, log);
  const journal = new RefusalsJournal({ dir: parts.dir, instance, clock, log });
  const auditLog = new AuditLog(batcher, { origin: await begin(numbering, config.audit.origin), instance });
  const drain = new JournalDrain(journal, auditLog, log);
  const signing =
    parts.signing && (await openSigning(parts, parts.signing, auditLog).catch(closing(batcher, sequencer)));
  const believed = signing?.signers.map(({ verifier }) => verifier) ?? [];
  const siem = await openSiem({ ...parts, believed }).catch(async (error: unknown) => {
    await signing?.stop();
    return closing(batcher, sequencer)(error);
  });
  const { dataDir } = parts;
  const watched = { config, clock, log, url, auditLog, batcher, journal, checkpointer: signing?.checkpointer };
  const alarming = dataDir === undefined ? undefined : openAlarms({ ...watched, dataDir });
  const anchoring = openAnchoring({ config, clock, log, url, auditLog });
  const metrics = new AuditMetrics(batcher);
  batcher.onCommitted = (records) => {
    metrics.committed(records);
    sequencer.nudge();
    drain.nudge();
  };
  batcher.onRefused = (code) => metrics.refused(code);
  sequencer.onNumbered = (records) => metrics.numbered(records);
  return {
    auditLog,
    signing,
    siem,
    alarming,
    callWriter: new CallWriter({ auditLog, clock, journal, policyVersion: policyVersion(config.policy) }),
    start: () => {
      sequencer.start();
      signing?.start();
      siem.start();
      alarming?.start();
      anchoring?.start();
      drain.start();
    },
    stop: async () => {
      await drain.stop();
      await anchoring?.stop();
      await alarming?.stop();
      await batcher.stop();
      await sequencer.stop();
      await signing?.stop();
      await siem.stop();
      metrics.stop();
    },
  };
}

function connect(url: string, applicationName: string, timeoutMs: number): Connection {
  const timeouts = { statementTimeoutMs: timeoutMs, lockTimeoutMs: timeoutMs };
  return new Connection({ url, role: APP_ROLE, applicationName, ...timeouts });
}

/** The log takes its name at the first start and keeps it: proofs name it. */
async function begin(connection: Connection, name: string): Promise<string> {
  try {
    const text = 'SELECT audit.begin($1) AS origin';
    const { rows } = await connection.query<{ origin: string }>({ text, values: [name] });
    if (rows[0]?.origin === name) return name;
  } catch (error) {
    await connection.close();
    throw error;
  }
  await connection.close();
  throw new ConfigError('differs from the name that the log of this database already has', 'audit.origin');
}

function closing(batcher: Batcher, sequencer: Sequencer): (error: unknown) => Promise<never> {
  return async (error) => {
    await batcher.stop();
    await sequencer.stop();
    throw error;
  };
}

/** Names the rules that were in force; the settings of the policy hold no secrets. */
function policyVersion(policy: Config['policy']): string {
  return hash('sha256', JSON.stringify(policy), 'hex').slice(0, 12);
}
