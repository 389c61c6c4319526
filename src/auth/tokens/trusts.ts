import type { FetchImplementation } from 'jose';
import { type Clock, type Config, ConfigError } from '../../platform/index.js';
import { RemoteKeys } from './remote-keys.js';
import { TokenTrust, type TrustedIssuer } from './token-trust.js';

/** The issuers whose tokens name clients. */
export class ClientTrust extends TokenTrust {}

/** The issuers whose tokens name administrators. */
export class AdministratorTrust extends TokenTrust {}

type AuthConfig = Config['auth'];
type ExternalIssuer = AuthConfig['issuers'][number];

/** Makes an external issuer of settings into one that is trusted. @throws ConfigError where its keys would come without TLS. */
class Externals {
  constructor(
    private readonly config: AuthConfig,
    private readonly clock: Clock,
    private readonly fetchImplementation: FetchImplementation,
  ) {}

  trusted(of: ExternalIssuer, setting: string, rightsClaims: readonly string[]): TrustedIssuer {
    for (const url of [of.issuer, of.jwksUri ?? of.issuer]) {
      if (!url.startsWith('https://')) throw new ConfigError('must be https: its keys decide who may call', setting);
    }
    const remote = {
      issuer: of.issuer,
      graceMs: this.config.jwksGrace,
      ...(of.jwksUri === undefined ? {} : { jwksUri: of.jwksUri }),
    };
    return {
      issuer: of.issuer,
      audience: of.audience,
      algorithms: this.config.algorithms,
      requireTyp: of.requireTyp,
      subjectClaim: of.clientClaim,
      rightsClaims,
      keys: new RemoteKeys(remote, this.clock, this.fetchImplementation).find,
    };
  }
}

/**
 * Who may issue tokens for clients: the embedded issuer or the one of OIDC_ISSUER in its place, and the further ones of the settings.
 * @param embedded undefined where an external issuer stands in its place.
 */
export function clientTrust(
  config: AuthConfig,
  clock: Clock,
  embedded: TrustedIssuer | undefined,
  fetchImplementation: FetchImplementation = fetch,
): ClientTrust {
  const externals = new Externals(config, clock, fetchImplementation);
  const issuers = embedded === undefined ? [] : [embedded];
  if (config.issuer !== undefined && config.audience !== undefined) {
    const only = { issuer: config.issuer, audience: config.audience };
    const claims = { clientClaim: 'client_id', scopeClaim: 'scope', requireTyp: true } as const;
    issuers.push(externals.trusted({ ...only, ...claims }, 'OIDC_ISSUER', ['scope']));
  }
  for (const [index, issuer] of config.issuers.entries()) {
    issuers.push(externals.trusted(issuer, `auth.issuers.${index}`, [issuer.scopeClaim]));
  }
  return new ClientTrust(issuers, clock, config.clockTolerance);
}

/**
 * Who may issue tokens for administrators. An external issuer's must be for this listener's origin, so that a client's token of the same
 * issuer opens nothing here, and name a person in `sub` and roles in `roles` or `scope`.
 */
export function administratorTrust(
  config: AuthConfig,
  adminUrl: string,
  clock: Clock,
  embedded: TrustedIssuer | undefined,
  fetchImplementation: FetchImplementation = fetch,
): AdministratorTrust {
  const issuers = embedded === undefined ? [] : [embedded];
  if (config.adminIssuer !== undefined) {
    const only = { issuer: config.adminIssuer, audience: adminUrl };
    const claims = { clientClaim: 'sub', scopeClaim: 'scope', requireTyp: true } as const;
    const externals = new Externals(config, clock, fetchImplementation);
    issuers.push(externals.trusted({ ...only, ...claims }, 'ADMIN_OIDC_ISSUER', ['roles', 'scope']));
  }
  return new AdministratorTrust(issuers, clock, config.clockTolerance);
}
