import type { FetchImplementation } from 'jose';
import { z } from 'zod';

const MOST_BYTES = 256 * 1024;

/** Keys decide who may call: they come over TLS only, wherever the address was learnt. */
function assertHttps(url: string): URL {
  const parsed = new URL(url);
  if (parsed.protocol !== 'https:') throw new Error('the key set of an issuer is fetched over HTTPS only');
  return parsed;
}

/** A fetch that takes HTTPS only, follows no redirect and reads no more than a key set can need. */
export function boundedFetch(inner: FetchImplementation): FetchImplementation {
  return async (url, options) => {
    assertHttps(url);
    const response = await inner(url, { ...options, redirect: 'manual' });
    return new Response(await readBounded(response), { status: response.status === 200 ? 200 : 502 });
  };
}

async function readBounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error('the document of the issuer is too large');
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks, size));
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** OpenID Connect Discovery 1.0 section 4: the document must name the very issuer it was asked of (RFC 8414 section 3.3). */
export async function discoverJwksUri(issuer: string, get: FetchImplementation, timeoutMs: number): Promise<string> {
  const response = await get(`${issuer}/.well-known/openid-configuration`, {
    headers: new Headers({ accept: 'application/json' }),
    method: 'GET',
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) throw new Error('the issuer has no discovery document');
  const document = discovery.parse(await response.json());
  if (document.issuer.replace(/\/+$/, '') !== issuer) throw new Error('the discovery document names another issuer');
  return assertHttps(document.jwks_uri).href;
}
