import type { AuditLog } from '../audit/index.js';
import { type Clock, type Database, SystemClock } from '../platform/index.js';
import { AdministratorEntity } from './entities/administrator.entity.js';
import { ALL_BUT_PII, type ClientSecrets, Provisioning } from './provisioning.js';

export interface BootstrapOptions {
  administratorName?: string;
  clientName?: string;
  /** `auth.keys.maxAgeDays`. */
  keyMaxAgeDays?: number;
  clock?: Clock;
}

export interface BootstrapSecrets extends ClientSecrets {
  adminClientId: string;
  adminClientSecret: string;
}

/** There is an administrator, who makes whatever else is needed. */
export class AlreadyBootstrapped extends Error {
  constructor() {
    super('this database has an administrator already; bootstrap makes the first one only');
    this.name = 'AlreadyBootstrapped';
  }
}

/**
 * Makes the first administrator, with every role, and the first client, with every scope but `pii:read`. The secrets are in the result and
 * nowhere else. The database must have been opened with this module's entities.
 * @throws AlreadyBootstrapped
 */
export function bootstrap(
  database: Database,
  audit: Pick<AuditLog, 'appendIn'>,
  options: BootstrapOptions = {},
): Promise<BootstrapSecrets> {
  const parts = {
    database,
    audit,
    clock: options.clock ?? new SystemClock(),
    keyMaxAgeDays: options.keyMaxAgeDays ?? 365,
    actor: 'bootstrap' as const,
  };
  return Provisioning.run(parts, async (provisioning) => {
    if ((await provisioning.tx.count(AdministratorEntity)) > 0) throw new AlreadyBootstrapped();
    const administrator = await provisioning.administrator(options.administratorName ?? 'administrator');
    const client = await provisioning.client(options.clientName ?? 'first-client', ALL_BUT_PII);
    return { adminClientId: administrator.clientId, adminClientSecret: administrator.clientSecret, ...client };
  });
}
