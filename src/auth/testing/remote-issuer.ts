import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, type FetchImplementation, type JWK, SignJWT } from 'jose';
import { Agent, fetch as undiciFetch } from 'undici';
import { ensureDevelopmentCertificates, SystemClock } from '../../platform/index.js';

type Behaviour = 'good' | 'error' | 'garbage' | 'huge' | 'redirect' | 'reset';

/** An issuer of somebody else's on a real HTTPS server, which can be made to fail. */
export class RemoteTestIssuer {
  behaviour: Behaviour = 'good';
  /** What the discovery document says of itself. */
  claimedIssuer: string | undefined;
  claimedJwksUri: string | undefined;
  fetches = 0;
  readonly #keys = new Map<string, { jwk: JWK; privateKey: KeyObject }>();

  private constructor(
    readonly url: string,
    /** A fetch that trusts the test's certificate authority. */
    readonly fetch: FetchImplementation,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<RemoteTestIssuer> {
    const dir = await mkdtemp(join(tmpdir(), 'gatehouse-issuer-'));
    const files = await ensureDevelopmentCertificates(dir, ['127.0.0.1'], new SystemClock());
    const server = createServer({ cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const dispatcher = new Agent({ connect: { ca: readFileSync(files.caFile) } });
    const issuer = new RemoteTestIssuer(
      `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      (url, options) => undiciFetch(url, { ...options, headers: [...options.headers], dispatcher }),
      async () => {
        await dispatcher.close();
        await new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        });
        await rm(dir, { recursive: true, force: true });
      },
    );
    server.on('request', (req, res) => issuer.answer(req.url ?? '/', res));
    return issuer;
  }

  async addKey(kid: string): Promise<void> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#keys.set(kid, { jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }, privateKey });
  }

  /** Stops publishing a key; it can sign no more. */
  dropKey(kid: string): void {
    this.#keys.delete(kid);
  }

  token(kid: string, claims: Record<string, unknown>, lifetimeSeconds = 600): Promise<string> {
    const key = this.#keys.get(kid);
    if (key === undefined) throw new Error('no such key');
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.url, iat: now, exp: now + lifetimeSeconds, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .sign(key.privateKey);
  }

  private answer(path: string, res: ServerResponse): void {
    this.fetches += 1;
    if (this.behaviour === 'reset') return void res.socket?.destroy();
    if (this.behaviour === 'error') return void res.writeHead(500).end();
    if (this.behaviour === 'garbage') return void res.writeHead(200).end('<html>');
    if (this.behaviour === 'huge') return void res.writeHead(200).end(Buffer.alloc(300_000, ' '));
    if (this.behaviour === 'redirect') return void res.writeHead(302, { location: `${this.url}/jwks` }).end();
    const keys = [...this.#keys.values()].map((key) => key.jwk);
    const discovery = { issuer: this.claimedIssuer ?? this.url, jwks_uri: this.claimedJwksUri ?? `${this.url}/jwks` };
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(path === '/jwks' ? { keys } : discovery));
  }
}
