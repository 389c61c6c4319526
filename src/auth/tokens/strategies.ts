import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import passport from 'passport';
import { ExtractJwt, type SecretOrKeyProvider, Strategy } from 'passport-jwt';
import { refused } from '../refusals.js';
import type { TokenTrust, VerifiedToken } from './token-trust.js';
import { AdministratorTrust, ClientTrust } from './trusts.js';

type Done = (error: unknown, token?: VerifiedToken) => void;

/**
 * passport-jwt verifies with jsonwebtoken, which knows no EdDSA and no key sets. Its static verifier is the seam it offers: what it takes
 * for a secret is here the trust of the listener, and jose does the rest.
 */
const seam = Strategy as unknown as { JwtVerifier: (token: string, trust: TokenTrust, _: unknown, done: Done) => void };
seam.JwtVerifier = (token, trust, _, done) => {
  void answer(trust, token, done);
};

async function answer(trust: TokenTrust, token: string, done: Done): Promise<void> {
  let verified: VerifiedToken;
  try {
    verified = await trust.verify(token);
  } catch (error) {
    done(error);
    return;
  }
  done(null, verified);
}

function options(trust: TokenTrust) {
  const provider: SecretOrKeyProvider = (_request, _token, done) => done(null, trust as unknown as string);
  return { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKeyProvider: provider };
}

/** Access tokens of clients, on the public listener. */
@Injectable()
export class ClientTokenStrategy extends PassportStrategy(Strategy, 'client-token') {
  constructor(trust: ClientTrust) {
    super(options(trust));
  }

  override validate(token: VerifiedToken): VerifiedToken {
    return token;
  }
}

/** Access tokens of administrators, on the internal listener. */
@Injectable()
export class AdminTokenStrategy extends PassportStrategy(Strategy, 'admin-token') {
  constructor(trust: AdministratorTrust) {
    super(options(trust));
  }

  override validate(token: VerifiedToken): VerifiedToken {
    return token;
  }
}

/**
 * Runs a strategy on the headers of a call. Passport puts its outcome functions on the object that it is given, so each call gets one of
 * its own: with a shared one a slow verification would answer for another's call.
 * @throws ProblemError `unauthenticated`
 */
export function authenticateWith(
  strategy: ClientTokenStrategy | AdminTokenStrategy,
  headers: IncomingHttpHeaders,
): Promise<VerifiedToken> {
  return new Promise((resolve, reject) => {
    const own = Object.create(strategy) as typeof strategy;
    const outcome = (error: unknown, token: VerifiedToken | false, refusal: unknown): void => {
      if (token !== false && token !== undefined && token !== null) resolve(token);
      else reject(error ?? refusal ?? refused('auth.token-missing'));
    };
    const run = passport.authenticate(own, { session: false }, outcome) as (...args: unknown[]) => void;
    run({ headers }, undefined, reject);
  });
}
