import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, ManualClock, ProblemError } from '../../platform/index.js';
import { RemoteTestIssuer } from '../testing/remote-issuer.js';
import { administratorTrust, type ClientTrust, clientTrust } from './trusts.js';

const AUDIENCE = 'https://gateway.example';
const HOUR = 3_600_000;
/** Tokens outlive what the clock of a test is moved by. */
const DAY_SECONDS = 86_400;

let issuer: RemoteTestIssuer;
let clock: ManualClock;

beforeEach(async () => {
  issuer = await RemoteTestIssuer.start();
  await issuer.addKey('k1');
  clock = new ManualClock(new Date());
});
afterEach(() => issuer.stop());

function trust(env: NodeJS.ProcessEnv = {}): ClientTrust {
  const config = loadConfig({ OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: AUDIENCE, ...env });
  return clientTrust(config.auth, clock, undefined, issuer.fetch);
}

function token(kid = 'k1', claims: Record<string, unknown> = {}): Promise<string> {
  return issuer.token(kid, { aud: AUDIENCE, client_id: 'bank', scope: 'verifications:read', ...claims }, DAY_SECONDS);
}

async function ruleOf(verification: Promise<unknown>): Promise<string> {
  const error = await verification.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  return error instanceof ProblemError ? error.rule : 'was not refused';
}

describe('the keys of an external issuer', () => {
  it('are found by its discovery document and fetched once', async () => {
    const believed = trust();
    expect((await believed.verify(await token())).subject).toBe('bank');
    await Promise.all([believed.verify(await token()), believed.verify(await token())]);
    expect(issuer.fetches).toBe(2);
  });

  it('are asked for once however many calls come at once', async () => {
    const believed = trust();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => token('k1', { jti: `${n}` })));
    await Promise.all(tokens.map((text) => believed.verify(text)));
    expect(issuer.fetches).toBe(2);
  });

  it('may be rotated: an unknown kid has the set fetched anew', async () => {
    const believed = trust();
    await believed.verify(await token());
    clock.advance(31_000);
    await issuer.addKey('k2');
    expect((await believed.verify(await token('k2'))).subject).toBe('bank');
    expect((await believed.verify(await token('k1', { jti: 'still published' }))).subject).toBe('bank');
  });

  it('end when they are no longer published and the set has been fetched', async () => {
    const believed = trust();
    await believed.verify(await token());
    const late = await token('k1', { jti: 'after' });
    issuer.dropKey('k1');
    await issuer.addKey('k2');
    clock.advance(31_000);
    await believed.verify(await token('k2'));
    expect(await ruleOf(believed.verify(late))).toBe('auth.token-key');
  });

  it('cause one fetch in the cool-down, whatever unknown kids are thrown at them', async () => {
    const believed = trust();
    await believed.verify(await token());
    const before = issuer.fetches;
    await issuer.addKey('hidden');
    const forged = await Promise.all(Array.from({ length: 10 }, (_, n) => token('hidden', { jti: `${n}` })));
    issuer.dropKey('hidden');
    for (const text of forged) expect(await ruleOf(believed.verify(text))).toBe('auth.token-key');
    expect(issuer.fetches).toBe(before);
    clock.advance(1_000);
    for (const text of forged) expect(await ruleOf(believed.verify(text))).toBe('auth.token-key');
    expect(issuer.fetches).toBe(before + 1);
  });
});

describe.each(['reset', 'error', 'garbage', 'huge', 'redirect'] as const)(
  'an outage of the issuer (%s)',
  (behaviour) => {
    it('leaves known keys good for the grace and no longer', async () => {
      const believed = trust();
      await believed.verify(await token());
      const during = await Promise.all(['a', 'b', 'c'].map((jti) => token('k1', { jti })));
      issuer.behaviour = behaviour;
      clock.advance(HOUR);
      expect((await believed.verify(during[0] ?? '')).subject).toBe('bank');
      clock.advance(600_000);
      expect((await believed.verify(during[1] ?? '')).subject).toBe('bank');
      clock.advance(1);
      expect(await ruleOf(believed.verify(during[2] ?? ''))).toBe('auth.issuer-unreachable');
      issuer.behaviour = 'good';
      clock.advance(1_000);
      expect((await believed.verify(during[2] ?? '')).subject).toBe('bank');
    });

    it('at the first token refuses it, and tries again only after the cool-down', async () => {
      const believed = trust();
      const good = await token();
      issuer.behaviour = behaviour;
      expect(await ruleOf(believed.verify(good))).toBe('auth.issuer-unreachable');
      const tried = issuer.fetches;
      for (let i = 0; i < 5; i += 1) expect(await ruleOf(believed.verify(good))).toBe('auth.issuer-unreachable');
      expect(issuer.fetches).toBe(tried);
      issuer.behaviour = 'good';
      clock.advance(1_000);
      expect((await believed.verify(good)).subject).toBe('bank');
    });
  },
);

describe('the discovery document', () => {
  it('that names another issuer is not believed', async () => {
    issuer.claimedIssuer = 'https://evil.example';
    expect(await ruleOf(trust().verify(await token()))).toBe('auth.issuer-unreachable');
  });

  it('that sends for keys without TLS is not followed', async () => {
    issuer.claimedJwksUri = issuer.url.replace('https:', 'http:');
    expect(await ruleOf(trust().verify(await token()))).toBe('auth.issuer-unreachable');
  });
});

describe('the settings of issuers', () => {
  it.each([
    { OIDC_ISSUER: 'http://issuer.example', OIDC_AUDIENCE: AUDIENCE },
    { OIDC_ISSUER: 'http://127.0.0.1:8080', OIDC_AUDIENCE: AUDIENCE },
  ])('refuse %j: no keys without TLS', (env) => {
    expect(() => clientTrust(loadConfig(env).auth, clock, undefined)).toThrow(ConfigError);
  });

  it('map which claim names the client and which holds the scopes, and whether typ counts', async () => {
    const base = loadConfig({}).auth;
    const mapped = {
      issuer: issuer.url,
      audience: AUDIENCE,
      jwksUri: `${issuer.url}/jwks`,
      clientClaim: 'azp' as const,
      scopeClaim: 'scp' as const,
      requireTyp: false,
    };
    const believed = clientTrust({ ...base, issuers: [mapped] }, clock, undefined, issuer.fetch);
    const verified = await believed.verify(await token('k1', { azp: 'desk', scp: ['pii:read'] }));
    expect(verified).toMatchObject({ subject: 'desk', rights: new Set(['pii:read']) });
    expect(issuer.fetches).toBe(1);
  });

  it('let an external issuer name administrators for this origin by sub, with roles', async () => {
    const config = loadConfig({ ADMIN_OIDC_ISSUER: issuer.url });
    const believed = administratorTrust(config.auth, 'https://admin.example', clock, undefined, issuer.fetch);
    const claims = { sub: 'maria', roles: ['auditor'], scope: 'admin' };
    expect(await believed.verify(await token('k1', { ...claims, aud: 'https://admin.example' }))).toMatchObject({
      subject: 'maria',
      rights: new Set(['auditor']),
    });
    expect(await ruleOf(believed.verify(await token('k1', claims)))).toBe('auth.token-audience');
  });
});
