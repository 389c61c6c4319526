import { equalInConstantTime, ProblemError, type Secret } from '../platform/index.js';

/** Room 3 for scrapers and log clients, which know no OIDC: one static bearer. */
export function opsTokenCheck(token: Secret | undefined): (authorization: string | undefined) => void {
  return (authorization) => {
    const given = /^Bearer ([\x21-\x7e]{1,512})$/.exec(authorization ?? '')?.[1];
    if (token !== undefined && given !== undefined && equalInConstantTime(given, token.reveal())) return;
    throw new ProblemError('unauthenticated', {
      headers: { 'www-authenticate': 'Bearer realm="gatehouse"' },
      rule: 'auth.ops-token',
    });
  };
}
