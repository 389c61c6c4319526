import type { INestApplicationContext } from '@nestjs/common';
import { AuditLog } from '../audit/index.js';
import { Clock, type Config, CONFIG, Database } from '../platform/index.js';
import type { BootstrapSecrets } from './bootstrap.js';
import { type AdministratorSecrets, ALL_BUT_PII, type ClientSecrets, Provisioning } from './provisioning.js';
import { CLIENT_SCOPES } from './scopes.js';

/** The members of the development credentials that come from here, as their file names them. */
export interface DevSecrets extends BootstrapSecrets {
  piiClient: ClientSecrets;
  otherClient: ClientSecrets;
  secondAdmin: AdministratorSecrets;
}

/**
 * Makes the clients and administrators of a development system, or gives back the secrets that are known already as far as the database
 * still takes them. A client that was changed since is left as it is.
 */
export function ensureDevelopmentClients(
  app: Pick<INestApplicationContext, 'get'>,
  known: Partial<DevSecrets> = {},
): Promise<DevSecrets> {
  const anywhere = { strict: false };
  const parts = {
    database: app.get(Database, anywhere),
    audit: app.get(AuditLog, anywhere),
    clock: app.get<Clock>(Clock, anywhere),
    keyMaxAgeDays: app.get<Config>(CONFIG, anywhere).auth.keys.maxAgeDays,
    actor: 'development' as const,
  };
  return Provisioning.run(parts, async (provisioning) => {
    const administrator = await provisioning.administrator(
      'administrator',
      known.adminClientSecret === undefined ? undefined : { clientSecret: known.adminClientSecret },
    );
    return {
      ...(await provisioning.client('bank', ALL_BUT_PII, known)),
      piiClient: await provisioning.client('bank-kyc-desk', CLIENT_SCOPES, known.piiClient),
      otherClient: await provisioning.client('other', ALL_BUT_PII, known.otherClient),
      adminClientId: administrator.clientId,
      adminClientSecret: administrator.clientSecret,
      secondAdmin: await provisioning.administrator('second-administrator', known.secondAdmin),
    };
  });
}
