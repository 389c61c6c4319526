import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { type AdminCaller, type Call, type ClientCaller, Clock, ProblemError } from '../platform/index.js';
import { AdministratorDirectory } from './administrator-directory.js';
import { ApiKeys, type FoundKey } from './api-keys.js';
import { ClientDirectory, type ClientStanding, mayCallFrom } from './client-directory.js';
import { apiKeyPrefix, isApiKey } from './credentials.js';
import { intersection, missingFactor, type RouteGroup } from './factors.js';
import { LastUse } from './last-use.js';
import { refused } from './refusals.js';
import { AdminTokenStrategy, authenticateWith, ClientTokenStrategy } from './tokens/strategies.js';
import type { VerifiedToken } from './tokens/token-trust.js';

/** RFC 6750 section 2.1. */
const BEARER = /^Bearer +[A-Za-z0-9._~+/-]+=*$/i;

/** Of a call: where it came from, and where to note which credential was tried. */
export type Attempt = Pick<Call, 'address' | 'credential'>;

/** Room 3: who calls. Every refusal is outwardly the same; its rule and reason are for the record. */
@Injectable()
export class Authenticator {
  constructor(
    private readonly keys: ApiKeys,
    private readonly clients: ClientDirectory,
    private readonly administrators: AdministratorDirectory,
    private readonly clientTokens: ClientTokenStrategy,
    private readonly adminTokens: AdminTokenStrategy,
    private readonly lastUse: LastUse,
    private readonly clock: Clock,
  ) {}

  /**
   * The client of a call on the public listener, with the rights that all of its credentials share. A credential that was presented must
   * be good, whether this client needs it here or not.
   * @throws ProblemError `unauthenticated`, or `forbidden-address` for a client that may not call from there.
   */
  async authenticateClient(call: Attempt, headers: IncomingHttpHeaders, group: RouteGroup): Promise<ClientCaller> {
    const key = await this.presentedKey(call, headers);
    const token = await this.presentedToken(call, headers, this.clientTokens);
    const client = key?.client ?? (await this.clientOf(token));
    if (token !== undefined && token.subject !== client.id && token.subject !== client.name)
      throw refused('auth.mismatch');
    if (client.state !== 'active')
      throw refused(client.state === 'suspended' ? 'auth.client-suspended' : 'auth.client-revoked');
    const required = group === 'v1' ? client.factors.data : client.factors.dropIn;
    const missing = missingFactor(required, { key: key !== undefined, token: token !== undefined });
    if (missing !== undefined) throw refused(missing);
    if (!mayCallFrom(client, call.address)) {
      throw new ProblemError('forbidden-address', {
        rule: 'auth.address',
        reason: 'the client may not call from this address',
      });
    }
    if (key !== undefined) this.lastUse.note(key.id);
    return {
      kind: 'client',
      id: client.id,
      name: client.name,
      scopes: intersection(client.scopes, key?.scopes, token?.rights),
      ...(key === undefined ? {} : { keyId: key.id }),
      ...(token?.id === undefined ? {} : { tokenId: token.id }),
    };
  }

  /**
   * The administrator of a call on the internal listener, with those of their roles that the token carries.
   * @throws ProblemError `unauthenticated`
   */
  async authenticateAdministrator(call: Attempt, headers: IncomingHttpHeaders): Promise<AdminCaller> {
    const token = await this.presentedToken(call, headers, this.adminTokens);
    if (token === undefined) throw refused('auth.missing');
    const administrator = await this.administrators.find(token.subject);
    if (administrator === undefined) throw refused('auth.administrator-unknown');
    if (administrator.state !== 'active')
      throw refused(
        administrator.state === 'suspended' ? 'auth.administrator-suspended' : 'auth.administrator-revoked',
      );
    return {
      kind: 'administrator',
      id: administrator.id,
      name: administrator.name,
      roles: intersection(administrator.roles, token.rights),
      ...(token.id === undefined ? {} : { tokenId: token.id }),
    };
  }

  private async presentedKey(call: Attempt, headers: IncomingHttpHeaders): Promise<FoundKey | undefined> {
    const presented = headers['x-api-key'];
    if (presented === undefined) return undefined;
    if (typeof presented !== 'string' || !isApiKey(presented)) throw refused('auth.key-malformed');
    call.credential = apiKeyPrefix(presented);
    const key = await this.keys.find(presented);
    if (key === undefined) throw refused('auth.key-unknown');
    call.credential = key.id;
    if (key.revoked) throw refused('auth.key-revoked');
    if (key.expiresAtMs <= this.clock.epochMs()) throw refused('auth.key-expired');
    return key;
  }

  private async presentedToken(
    call: Attempt,
    headers: IncomingHttpHeaders,
    strategy: ClientTokenStrategy | AdminTokenStrategy,
  ): Promise<VerifiedToken | undefined> {
    const { authorization } = headers;
    if (authorization === undefined) return undefined;
    if (!BEARER.test(authorization)) throw refused('auth.authorization-malformed');
    const token = await authenticateWith(strategy, headers);
    if (token.id !== undefined) call.credential ??= token.id;
    return token;
  }

  private async clientOf(token: VerifiedToken | undefined): Promise<ClientStanding> {
    if (token === undefined) throw refused('auth.missing');
    const client = await this.clients.find(token.subject);
    if (client === undefined) throw refused('auth.client-unknown');
    return client;
  }
}
