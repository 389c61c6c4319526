import { randomBytes } from 'node:crypto';
import {
  type AdapterPayload,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  Provider,
  type ResourceServer,
} from 'oidc-provider';
import type { Clock, Database, Listener } from '../../platform/index.js';
import { credentialHash, matchesAny } from '../credentials.js';
import { ADMIN_ROLES, CLIENT_SCOPES } from '../scopes.js';
import { clientAdapter, PayloadAdapter } from './adapter.js';
import { ISSUER_ALGORITHM, type IssuerKeys } from './issuer-keys.js';
import { REGISTRATION, type Registration } from './registered-clients.js';

export const TOKEN_PATH = '/oauth/token';
export const JWKS_PATH = '/oauth/jwks';
export const DISCOVERY_PATH = '/.well-known/openid-configuration';

/** What the tokens of a listener may carry. */
export const RIGHTS: Record<Listener, readonly string[]> = { public: CLIENT_SCOPES, admin: ADMIN_ROLES };

/** The library wants a secret for every client; ours are compared by digest, and this one, known to nobody, is compared with nothing. */
const UNUSED_SECRET = randomBytes(32).toString('base64url');

export interface ProviderParts {
  listener: Listener;
  /** Origin of the listener: issuer and audience of its tokens. */
  url: string;
  database: Database;
  clock: Clock;
  keys: IssuerKeys;
  tokenLifetimeMs: number;
}

type Client = NonNullable<KoaContextWithOIDC['oidc']['client']>;

function registrationOf(client: Client): Registration {
  return (client as unknown as Record<typeof REGISTRATION, Registration>)[REGISTRATION];
}

/** An issuer of the client credentials grant, and of nothing else that the library can do. */
export function makeProvider(parts: ProviderParts): Provider {
  const provider = new Provider(parts.url, configuration(parts));
  // Hashed secrets are not a setting of the library: this method is the one place where it compares them.
  provider.Client.prototype.compareClientSecret = function compare(this: Client, presented: string): boolean {
    const stored = registrationOf(this).secretHashes.map((hash) => Buffer.from(hash, 'base64'));
    return matchesAny(credentialHash(presented), stored);
  };
  // Koa prints errors of its own unless told not to; the gateway answers and records them.
  provider.silent = true;
  return provider;
}

function configuration(parts: ProviderParts): Configuration {
  const { listener, url, database, clock, keys } = parts;
  const lifetime = Math.floor(parts.tokenLifetimeMs / 1000);
  return {
    adapter: (model: string) =>
      model === 'Client' ? clientAdapterWithSecret(database, listener) : new PayloadAdapter(database, clock, model),
    jwks: { keys: keys.privateJwks },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: ISSUER_ALGORITHM,
      token_endpoint_auth_method: 'client_secret_basic',
    },
    extraClientMetadata: { properties: [REGISTRATION] },
    responseTypes: [],
    scopes: [...RIGHTS[listener]],
    routes: { token: TOKEN_PATH, jwks: JWKS_PATH },
    ttl: { ClientCredentials: () => lifetime },
    features: {
      clientCredentials: { enabled: true },
      claimsParameter: { enabled: false },
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      requestObjects: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => url,
        getResourceServerInfo: (ctx, resource, client) => resourceServer(parts, ctx, resource, client),
        useGrantedResource: () => true,
      },
    },
    clientBasedCORS: () => false,
    renderError: (ctx, out) => {
      ctx.type = 'json';
      ctx.body = out;
    },
  };
}

function clientAdapterWithSecret(database: Database, listener: Listener) {
  const adapter = clientAdapter(database, listener);
  return {
    ...adapter,
    find: async (id: string): Promise<AdapterPayload | undefined> => {
      const client = await adapter.find(id);
      return client ? { ...client, client_secret: UNUSED_SECRET } : undefined;
    },
  };
}

function resourceServer(
  parts: ProviderParts,
  ctx: KoaContextWithOIDC,
  resource: string,
  client: Client,
): ResourceServer {
  if (resource !== parts.url) throw new errors.InvalidTarget();
  const rights = registrationOf(client).rights;
  narrow(ctx, RIGHTS[parts.listener], rights);
  return {
    scope: rights.join(' '),
    audience: parts.url,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: ISSUER_ALGORITHM, kid: parts.keys.signer } },
  };
}

/**
 * RFC 6749 section 3.3: no scope asked for is all that the client holds, and what it asks for beyond that is left out. The library would
 * grant nothing to a request without `scope`, so the request is completed here, before it reads it. A name that means nothing is refused,
 * and so is a request of which nothing would be left.
 */
function narrow(ctx: KoaContextWithOIDC, known: readonly string[], held: readonly string[]): void {
  const params = ctx.oidc.params ?? {};
  const asked = typeof params['scope'] === 'string' ? params['scope'].split(' ').filter(Boolean) : [];
  const unknown = asked.find((scope) => !known.includes(scope));
  if (unknown !== undefined) throw new errors.InvalidScope('requested scope is unknown', unknown);
  const granted = asked.length === 0 ? held : asked.filter((scope) => held.includes(scope));
  if (granted.length === 0) throw new errors.InvalidScope('requested scope is not allowed', asked.join(' '));
  params['scope'] = granted.join(' ');
}
