import { join } from 'node:path';
import { APP_ROLE, type Clock, type Config, type Log } from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import type { Batcher } from '../batcher.js';
import type { Checkpointer } from '../checkpoints/checkpointer.js';
import { Connection } from '../connection.js';
import { processIsAlive } from '../journal-drain.js';
import type { RefusalsJournal } from '../refusals-journal.js';
import { ClockOffsets } from '../time/clock-offsets.js';
import { AlarmFile } from './alarm-file.js';
import { AlarmRecords } from './alarm-records.js';
import { AlarmSender } from './alarm-sender.js';
import { Alarms } from './alarms.js';
import { freeBytes, logState } from './probe.js';
import { AlarmWatch } from './watch.js';

export interface AlarmingParts {
  config: Pick<Config, 'audit' | 'time'>;
  clock: Clock;
  log: Log;
  url: string;
  /** Folder of alarms.jsonl, whose disk is watched. */
  dataDir: string;
  auditLog: AuditLog;
  batcher: Batcher;
  journal: RefusalsJournal;
  checkpointer: Checkpointer | undefined;
}

/** The alarms as an instance runs them. */
export interface Alarming {
  alarms: Alarms;
  offsets: ClockOffsets;
  start(): void;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 2_000;

/** @throws ConfigError when what is set to post alarms cannot be used. */
export function openAlarms(parts: AlarmingParts): Alarming {
  const { config, clock, log, url, dataDir, auditLog } = parts;
  const { url: address, token, caFile } = config.audit.alarm;
  const sender = address === undefined ? undefined : new AlarmSender({ url: address, token, caFile, log });
  const alarms = new Alarms({ clock, log, instance: auditLog.instance, origin: auditLog.origin });
  const file = new AlarmFile(join(dataDir, 'alarms.jsonl'), log);
  const records = new AlarmRecords(auditLog, clock);
  const offsets = new ClockOffsets();
  const timeouts = { statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: TIMEOUT_MS };
  const connection = new Connection({ url, role: APP_ROLE, applicationName: 'gatehouse-alarm', ...timeouts });
  let [writing, ending] = [Promise.resolve(), Promise.resolve()];
  alarms.listen((event) => {
    writing = file.write(event);
    sender?.send(event);
    records.add(event);
  });
  const watch = new AlarmWatch({
    ...parts,
    alarms,
    records,
    ask: () => logState(connection, clock),
    free: () => freeBytes(dataDir),
    onAhead: (ms) => offsets.set('database', ms / 1_000),
  });
  /** An instance that is gone has no alarm: this one tells so in its place, and raises its own where the cause has stayed. */
  const endThoseLeft = async (): Promise<void> => {
    for (const left of await file.left(processIsAlive)) {
      if (left.instance === auditLog.instance) continue;
      const at = clock.now().toISOString();
      const cleared = { ...left, state: 'cleared', at } as const;
      sender?.send(cleared);
      records.add(cleared, { instance: left.instance, since: left.at });
      await file.write(cleared);
    }
  };
  return {
    alarms,
    offsets,
    start: () => {
      ending = endThoseLeft();
      watch.start();
    },
    stop: async () => {
      await watch.stop();
      await connection.close();
      await ending;
      await writing;
      await sender?.stop();
      offsets.stop();
      alarms.stop();
    },
  };
}
