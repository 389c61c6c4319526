import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { Clock, type Config, CONFIG, Database, Keyring, Log, ORIGINS, type Origins } from '../platform/index.js';
import { ClientAdministration } from './administration/client-administration.js';
import { ClientsAdminController } from './administration/clients.admin.controller.js';
import { AdministratorDirectory } from './administrator-directory.js';
import { ApiKeys } from './api-keys.js';
import { Authenticator } from './authenticator.js';
import { ClientDirectory } from './client-directory.js';
import { createIssuers, IssuerGateway } from './issuer/issuers.js';
import { LastUse } from './last-use.js';
import { AdminTokenStrategy, ClientTokenStrategy } from './tokens/strategies.js';
import { administratorTrust, AdministratorTrust, clientTrust, ClientTrust } from './tokens/trusts.js';

const issuers = {
  provide: IssuerGateway,
  inject: [CONFIG, ORIGINS, Database, Keyring, Clock, Log],
  useFactory: (config: Config, origins: Origins, database: Database, keyring: Keyring, clock: Clock, log: Log) =>
    createIssuers({
      publicUrl: config.auth.issuer === undefined ? origins.publicUrl : undefined,
      adminUrl: config.auth.adminIssuer === undefined ? origins.adminUrl : undefined,
      database,
      keyring,
      clock,
      log,
      tokenLifetimeMs: config.auth.tokenLifetime,
    }),
};

const trusts = [
  {
    provide: ClientTrust,
    inject: [CONFIG, Clock, IssuerGateway],
    useFactory: (config: Config, clock: Clock, gateway: IssuerGateway) =>
      clientTrust(config.auth, clock, gateway.trustedIssuer('public')),
  },
  {
    provide: AdministratorTrust,
    inject: [CONFIG, ORIGINS, Clock, IssuerGateway],
    useFactory: (config: Config, origins: Origins, clock: Clock, gateway: IssuerGateway) =>
      administratorTrust(config.auth, origins.adminUrl, clock, gateway.trustedIssuer('admin')),
  },
];

/** Who calls: API keys, access tokens, the embedded issuers, and the administration of clients. */
@Module({
  imports: [PassportModule.register({ session: false })],
  providers: [
    issuers,
    ...trusts,
    ClientTokenStrategy,
    AdminTokenStrategy,
    ApiKeys,
    ClientDirectory,
    AdministratorDirectory,
    LastUse,
    Authenticator,
    ClientAdministration,
  ],
  controllers: [ClientsAdminController],
  exports: [Authenticator, ClientDirectory, IssuerGateway],
})
export class AuthModule {}
