import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { isUuid, type Listener, type Log } from '../../platform/index.js';
import { DISCOVERY_PATH, JWKS_PATH, RIGHTS, TOKEN_PATH } from './provider.js';

/** What a token endpoint is about to answer; no secret and no text of the caller's is in it. */
export interface TokenAnswer {
  listener: Listener;
  req: IncomingMessage;
  status: number;
  /** The `error` of RFC 6749 section 5.2. */
  error?: string;
  /** Id of the client or administrator, as far as one was named. */
  clientId?: string;
  /** Whether that client proved to be itself. */
  authenticated: boolean;
  jti?: string;
  scope?: string;
}

/** Makes the answer durable. The answer leaves only when this resolves. */
export type OnAnswer = (answer: TokenAnswer) => Promise<void>;

type Context = KoaContextWithOIDC;
type Next = () => Promise<void>;

const METHODS: Record<string, string> = { [TOKEN_PATH]: 'POST', [JWKS_PATH]: 'GET', [DISCOVERY_PATH]: 'GET' };

const CORS_HEADERS = ['access-control-allow-origin', 'access-control-expose-headers', 'vary'];
/** The library's words for a request without any client authentication. */
const NO_AUTHENTICATION = 'no client authentication mechanism provided';

/** Whether this path of a listener is one of its issuer's three. */
export function isIssuerPath(path: string): boolean {
  return Object.hasOwn(METHODS, path);
}

function refuse(ctx: Context, status: number, error: string): void {
  ctx.status = status;
  ctx.type = 'json';
  ctx.body = { error };
}

/** The outermost room of an issuer: only its three paths, JSON whatever happens, and no answer of the token endpoint without its record. */
export function guardAnswers(listener: Listener, url: string, onAnswer: OnAnswer, log: Log) {
  return async (ctx: Context, next: Next): Promise<void> => {
    await answer(ctx, next, url, listener, log);
    ctx.set('x-content-type-options', 'nosniff');
    // The issuer serves machines: no page of another origin is invited to read its answers.
    for (const header of CORS_HEADERS) ctx.remove(header);
    if (ctx.status === 401) ctx.set('www-authenticate', `Basic realm="${url}"`);
    if (ctx.path !== TOKEN_PATH) return;
    ctx.set('cache-control', 'no-store');
    try {
      await onAnswer(described(ctx, listener));
    } catch (error) {
      log.error('a token answer could not be recorded and was withheld', { error });
      // 503 in place of a token that would exist without a record (RFC 6749 names the code for the redirect flows; nothing fits better).
      refuse(ctx, 503, 'temporarily_unavailable');
      ctx.set('retry-after', '2');
      ctx.remove('www-authenticate');
    }
  };
}

async function answer(ctx: Context, next: Next, url: string, listener: Listener, log: Log): Promise<void> {
  const method = METHODS[ctx.path];
  if (method === undefined) return refuse(ctx, 404, 'not_found');
  if (ctx.method !== method && !(ctx.method === 'HEAD' && method === 'GET')) {
    refuse(ctx, 405, 'invalid_request');
    ctx.set('allow', method === 'GET' ? 'GET, HEAD' : method);
    return;
  }
  try {
    await next();
  } catch (error) {
    log.error('the issuer failed', { error });
    refuse(ctx, 500, 'server_error');
  }
  if (errorOf(ctx) === 'server_error') refuse(ctx, 500, 'server_error');
  // RFC 6749 section 5.2 counts this under invalid_client; the library under invalid_request.
  if (member(ctx, 'error_description') === NO_AUTHENTICATION) refuse(ctx, 401, 'invalid_client');
  if (ctx.path === DISCOVERY_PATH && ctx.status === 200) ctx.body = discovery(url, listener);
}

function errorOf(ctx: Context): string | undefined {
  return member(ctx, 'error');
}

function member(ctx: Context, name: 'error' | 'error_description'): string | undefined {
  const body = ctx.body as Partial<Record<string, unknown>> | null | undefined;
  const value = typeof body === 'object' ? body?.[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function described(ctx: Context, listener: Listener): TokenAnswer {
  // A refused method never reached the library's router, and then there is no context of its own.
  const oidc = (ctx as Partial<Context>).oidc;
  const client = oidc?.entities.Client;
  const token = oidc?.entities.ClientCredentials;
  const named = client?.clientId ?? oidc?.params?.['client_id'];
  const error = errorOf(ctx);
  return {
    listener,
    req: ctx.req,
    status: ctx.status,
    authenticated: client !== undefined && error !== 'invalid_client',
    ...(error === undefined ? {} : { error }),
    ...(typeof named === 'string' && isUuid(named) ? { clientId: named } : {}),
    ...(token?.jti === undefined ? {} : { jti: token.jti }),
    ...(token?.scope === undefined ? {} : { scope: token.scope }),
  };
}

/**
 * RFC 8414 section 2 for what this issuer does. The library's own document announces an authorization endpoint that does not answer here,
 * and makes its addresses of the request's Host header.
 */
function discovery(url: string, listener: Listener): object {
  return {
    issuer: url,
    token_endpoint: `${url}${TOKEN_PATH}`,
    jwks_uri: `${url}${JWKS_PATH}`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    scopes_supported: RIGHTS[listener],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  };
}
