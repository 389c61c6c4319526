import { APP_ROLE, type Clock, type Config, type Log, readCertificates, Rounds } from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import { Connection } from '../connection.js';
import { AnchorStore } from './anchor-store.js';
import { Anchorer } from './anchorer.js';
import { Authority } from './authority.js';

export interface AnchoringParts {
  config: Pick<Config, 'audit'>;
  clock: Clock;
  log: Log;
  url: string;
  auditLog: AuditLog;
}

/** The time stamps as an instance sees to them. */
export interface Anchoring {
  start(): void;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
/** How often it is looked whether a time stamp is due. */
const MOST_LOOK_MS = 10_000;

/** @returns undefined where no authority is set. @throws ConfigError when its roots cannot be read */
export function openAnchoring({ config, clock, log, url, auditLog }: AnchoringParts): Anchoring | undefined {
  const { anchors } = config.audit;
  if (anchors === undefined) return undefined;
  const roots = readCertificates(anchors.caFile, 'audit.anchors.caFile');
  const authority = new Authority({ url: anchors.url, roots, policy: anchors.policy, clock });
  // A connection of its own: the lock that one instance holds while it asks is of a session and no transaction.
  const timeouts = { statementTimeoutMs: TIMEOUT_MS, lockTimeoutMs: TIMEOUT_MS };
  const connection = new Connection({ url, role: APP_ROLE, applicationName: 'gatehouse-anchors', ...timeouts });
  const everyMs = anchors.every;
  const anchorer = new Anchorer({ store: new AnchorStore(connection), authority, auditLog, clock, everyMs, log });
  let rounds: Rounds | undefined;
  return {
    start: () => {
      rounds = new Rounds('audit.anchors', Math.min(everyMs, MOST_LOOK_MS), log, async () => {
        await anchorer.round();
      });
    },
    stop: async () => {
      // What is asked of the authority is not waited for: the next run asks again.
      await authority.stop();
      await rounds?.stop();
      await connection.close();
    },
  };
}
