export { AuthModule } from './auth.module.js';
export { Authenticator } from './authenticator.js';
export { AlreadyBootstrapped, bootstrap, type BootstrapOptions, type BootstrapSecrets } from './bootstrap.js';
export { type DevSecrets, ensureDevelopmentClients } from './development-clients.js';
export { ClientDirectory, type ClientStanding } from './client-directory.js';
export { authEntities } from './entities/all.js';
export type { TokenAnswer } from './issuer/answers.js';
export { IssuerGateway } from './issuer/issuers.js';
