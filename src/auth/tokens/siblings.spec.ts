import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../platform/index.js';
import { TokenTrust } from './token-trust.js';

const clock = new ManualClock();
const A = 'https://a.example';
const B = 'https://b.example';

/** Two instances on one database, each reached by an address of its own, share their keys. */
describe('a token of another instance', () => {
  let own: CryptoKey;
  let foreign: CryptoKey;
  let jwk: JWK;

  beforeAll(async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    own = pair.privateKey;
    jwk = await exportJWK(pair.publicKey);
    foreign = (await generateKeyPair('ES256')).privateKey;
  });

  const trust = (ownKeys: boolean): TokenTrust =>
    new TokenTrust(
      [
        {
          issuer: B,
          audience: B,
          algorithms: ['ES256'],
          requireTyp: true,
          subjectClaim: 'client_id',
          rightsClaims: ['scope'],
          keys: async () => (await importJWK(jwk, 'ES256')) as CryptoKey,
          ownKeys,
        },
      ],
      clock,
      0,
    );

  const token = (claims: { iss: string; aud: string }, key: CryptoKey): Promise<string> =>
    new SignJWT({ ...claims, client_id: 'bank', scope: 'verifications:read' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setExpirationTime(Math.floor(clock.epochMs() / 1_000) + 60)
      .sign(key);

  it('is good, since the keys prove it', async () => {
    const verified = await trust(true).verify(await token({ iss: A, aud: A }, own));
    expect(verified.subject).toBe('bank');
  });

  it('is refused when it is meant for somebody else, signed by others, or the keys are not this deployment’s alone', async () => {
    const refusal = async (ownKeys: boolean, claims: { iss: string; aud: string }, key: CryptoKey): Promise<unknown> =>
      trust(ownKeys)
        .verify(await token(claims, key))
        .catch((error: unknown) => error);
    expect(await refusal(true, { iss: A, aud: B }, own)).toMatchObject({ rule: 'auth.token-audience' });
    expect(await refusal(true, { iss: A, aud: A }, foreign)).toMatchObject({ code: 'unauthenticated' });
    expect(await refusal(false, { iss: A, aud: A }, own)).toMatchObject({ rule: 'auth.token-issuer' });
  });
});
