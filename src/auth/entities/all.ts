import { AdministratorSecretEntity } from './administrator-secret.entity.js';
import { AdministratorEntity } from './administrator.entity.js';
import { ApiKeyEntity } from './api-key.entity.js';
import { ClientSecretEntity } from './client-secret.entity.js';
import { ClientEntity } from './client.entity.js';
import { IssuerKeyEntity } from './issuer-key.entity.js';
import { OidcPayloadEntity } from './oidc-payload.entity.js';

/** Every table of this module. */
export const authEntities = [
  ClientEntity,
  ApiKeyEntity,
  ClientSecretEntity,
  AdministratorEntity,
  AdministratorSecretEntity,
  IssuerKeyEntity,
  OidcPayloadEntity,
];
