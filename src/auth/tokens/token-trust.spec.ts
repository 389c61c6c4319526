import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, exportJWK, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, ProblemError } from '../../platform/index.js';
import { TokenTrust, type TrustedIssuer } from './token-trust.js';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'https://gateway.example';

let es256: { privateKey: KeyObject; publicKey: KeyObject };
let rs256: { privateKey: KeyObject; publicKey: KeyObject };
let clock: ManualClock;
let trusted: TrustedIssuer;
let keysAsked: number;

beforeAll(() => {
  es256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  rs256 = generateKeyPairSync('rsa', { modulusLength: 2048 });
});

beforeEach(async () => {
  clock = new ManualClock();
  keysAsked = 0;
  const set = createLocalJWKSet({
    keys: [
      { ...(await exportJWK(es256.publicKey)), kid: 'e1', alg: 'ES256' },
      { ...(await exportJWK(rs256.publicKey)), kid: 'r1' },
    ],
  });
  trusted = {
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    requireTyp: true,
    subjectClaim: 'client_id',
    rightsClaims: ['scope'],
    keys: (header, token) => {
      keysAsked += 1;
      return set(header, token);
    },
  };
});

function trust(changes: Partial<TrustedIssuer> = {}): TokenTrust {
  return new TokenTrust([{ ...trusted, ...changes }], clock, 5_000);
}

interface Making {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  key?: KeyObject;
}

function token({ claims = {}, header = {}, key = es256.privateKey }: Making = {}): Promise<string> {
  const now = Math.floor(clock.epochMs() / 1000);
  const all = { iss: ISSUER, aud: AUDIENCE, exp: now + 60, client_id: 'bank', scope: 'a b', jti: 't1', ...claims };
  const known = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(known).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'e1', ...header }).sign(key);
}

function unsigned(header: object, claims: object, signature = ''): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

async function ruleOf(verification: Promise<unknown>): Promise<string> {
  const error = await verification.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  if (!(error instanceof ProblemError)) throw new Error('was not refused', { cause: error });
  expect(error.code).toBe('unauthenticated');
  return error.rule;
}

describe('a good token', () => {
  it('says who, what for, its name and its end', async () => {
    expect(await trust().verify(await token())).toEqual({
      subject: 'bank',
      rights: new Set(['a', 'b']),
      id: 't1',
      expiresAtMs: clock.epochMs() + 60_000,
    });
  });

  it('may hold its scopes as a list under another claim', async () => {
    const verified = await trust({ rightsClaims: ['roles', 'scp'] }).verify(
      await token({ claims: { scp: ['a', 7, 'c'] } }),
    );
    expect(verified.rights).toEqual(new Set(['a', 'c']));
  });

  it('without the claim of rights carries none', async () => {
    expect((await trust().verify(await token({ claims: { scope: undefined } }))).rights).toEqual(new Set());
  });

  it('may come from an issuer whose name ends in a slash', async () => {
    expect((await trust().verify(await token({ claims: { iss: `${ISSUER}/` } }))).subject).toBe('bank');
  });

  it('may be for several audiences', async () => {
    const several = await token({ claims: { aud: ['https://other.example', AUDIENCE] } });
    expect((await trust().verify(several)).subject).toBe('bank');
  });
});

describe('a token is refused', () => {
  it.each<[string, Making]>([
    ['auth.token-issuer', { claims: { iss: 'https://evil.example' } }],
    ['auth.token-issuer', { claims: { iss: undefined } }],
    ['auth.token-audience', { claims: { aud: 'https://other.example' } }],
    ['auth.token-claims', { claims: { exp: undefined } }],
    ['auth.token-claims', { claims: { client_id: undefined } }],
    ['auth.token-claims', { claims: { client_id: 42 } }],
    ['auth.token-claims', { claims: { client_id: '' } }],
    ['auth.token-type', { header: { typ: 'JWT' } }],
    ['auth.token-type', { header: { typ: undefined } }],
    ['auth.token-key', { header: { kid: 'unknown' } }],
    ['auth.token-bound', { claims: { cnf: { jkt: 'x' } } }],
  ])('%s: %j', async (rule, making) => {
    expect(await ruleOf(trust().verify(await token(making)))).toBe(rule);
  });

  it('once its time is over, with the tolerance and not a moment more', async () => {
    const believed = trust();
    const late = await token();
    clock.advance(64_999);
    expect((await believed.verify(late)).subject).toBe('bank');
    clock.advance(1);
    expect(await ruleOf(believed.verify(late))).toBe('auth.token-expired');
    expect(await ruleOf(trust().verify(late))).toBe('auth.token-expired');
  });

  it('before its time has come', async () => {
    const now = Math.floor(clock.epochMs() / 1000);
    expect(await ruleOf(trust().verify(await token({ claims: { nbf: now + 6 } })))).toBe('auth.token-early');
    expect((await trust().verify(await token({ claims: { nbf: now + 5 } }))).subject).toBe('bank');
  });

  it('when signed by another key under a known name', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await ruleOf(trust().verify(await token({ key: privateKey })))).toBe('auth.token-signature');
  });

  it('when a single character of its claims or signature was changed', async () => {
    const good = await token();
    const [header = '', , signature = ''] = good.split('.');
    const other = (await token({ claims: { scope: 'a b pii:read' } })).split('.')[1] ?? '';
    expect(await ruleOf(trust().verify(`${header}.${other}.${signature}`))).toBe('auth.token-signature');
    const flipped = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    expect(await ruleOf(trust().verify(`${header}.${good.split('.')[1] ?? ''}.${flipped}`))).toBe(
      'auth.token-signature',
    );
  });

  it.each(['', 'x', 'a.b.c', 'a.b.c.d.e', '..', 'e30.e30.', 'a'.repeat(9_000)])(
    'when it is no signed token at all: %#',
    async (text) => {
      expect(['auth.token-malformed', 'auth.token-issuer']).toContain(await ruleOf(trust().verify(text)));
      expect(keysAsked).toBe(0);
    },
  );
});

describe('algorithm confusion', () => {
  const claims = () => ({
    iss: ISSUER,
    aud: AUDIENCE,
    exp: Math.floor(clock.epochMs() / 1000) + 60,
    client_id: 'bank',
    scope: 'a',
  });

  it.each(['none', 'None', 'NONE'])('alg %s without a signature is refused and no key is asked for', async (alg) => {
    const rule = await ruleOf(trust().verify(unsigned({ alg, typ: 'at+jwt', kid: 'e1' }, claims())));
    expect(['auth.token-algorithm', 'auth.token-malformed']).toContain(rule);
    expect(keysAsked).toBe(0);
  });

  it('HS256 with the public key for a secret is refused', async () => {
    const header = { alg: 'HS256', typ: 'at+jwt', kid: 'r1' };
    for (const secret of [
      rs256.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      es256.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      JSON.stringify(await exportJWK(rs256.publicKey)),
    ]) {
      const body = unsigned(header, claims()).slice(0, -1);
      const forged = `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
      expect(await ruleOf(trust().verify(forged))).toBe('auth.token-algorithm');
      expect(await ruleOf(trust({ algorithms: ['ES256', 'RS256', 'PS256'] }).verify(forged))).toBe(
        'auth.token-algorithm',
      );
    }
    expect(keysAsked).toBe(0);
  });

  it('an algorithm that this issuer may not use is refused even with a good signature', async () => {
    const rsa = await token({ header: { alg: 'RS256', kid: 'r1' }, key: rs256.privateKey });
    expect(await ruleOf(trust().verify(rsa))).toBe('auth.token-algorithm');
    expect((await trust({ algorithms: ['RS256'] }).verify(rsa)).subject).toBe('bank');
  });

  it('a key in the header of the token is not believed', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = await exportJWK(pair.publicKey);
    const forged = await token({ header: { jwk, kid: undefined }, key: pair.privateKey });
    expect(await ruleOf(trust().verify(forged))).toBe('auth.token-signature');
  });
});

describe('a verified token', () => {
  it('has its signature checked once', async () => {
    const believed = trust();
    const good = await token();
    await Promise.all([believed.verify(good), believed.verify(good)]);
    await believed.verify(good);
    expect(keysAsked).toBe(1);
  });

  it('is checked anew after five minutes', async () => {
    const believed = trust();
    const long = await token({ claims: { exp: Math.floor(clock.epochMs() / 1000) + 3_600 } });
    await believed.verify(long);
    clock.advance(300_000);
    await believed.verify(long);
    expect(keysAsked).toBe(2);
  });

  it('lends nothing to a refused one', async () => {
    const believed = trust();
    const bad = await token({ claims: { aud: 'https://other.example' } });
    expect(await ruleOf(believed.verify(bad))).toBe('auth.token-audience');
    expect(await ruleOf(believed.verify(bad))).toBe('auth.token-audience');
  });
});
