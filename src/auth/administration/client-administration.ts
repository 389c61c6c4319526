import { Inject, Injectable } from '@nestjs/common';
import { IsNull, MoreThan, QueryFailedError } from 'typeorm';
import { AuditLog, type RecordInput } from '../../audit/index.js';
import {
  administratorOf,
  type Call,
  Clock,
  type Config,
  CONFIG,
  Database,
  isUuid,
  ProblemError,
  type Tx,
  uuidv7,
} from '../../platform/index.js';
import { ApiKeys } from '../api-keys.js';
import { ClientDirectory } from '../client-directory.js';
import { ApiKeyEntity } from '../entities/api-key.entity.js';
import { ClientSecretEntity } from '../entities/client-secret.entity.js';
import { ClientEntity } from '../entities/client.entity.js';
import type { ClientListQuery, ClientPatch, NewClient, NewKey } from './client-schemas.js';
import { type ClientDetailView, type ClientView, clientView, keyView, secretView } from './client-views.js';
import {
  DAY_MS,
  insertClient,
  insertClientSecret,
  insertKey,
  type MadeKey,
  type MadeSecret,
} from './credential-store.js';

/** Enough to rotate with room to spare; a client that needs more keys is more than one client. */
const MOST_KEYS = 10;

const UNIQUE_VIOLATION = '23505';
const INVALID_TEXT = '22P02';

/** The administration of clients: each act and its record are one transaction. */
@Injectable()
export class ClientAdministration {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    private readonly keys: ApiKeys,
    private readonly clients: ClientDirectory,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Oldest first. */
  async list(query: ClientListQuery): Promise<{ items: ClientView[]; nextCursor: string | null }> {
    const after = query.cursor === undefined ? undefined : Buffer.from(query.cursor, 'base64url').toString();
    if (after !== undefined && !isUuid(after)) throw new ProblemError('invalid-cursor');
    const clients = await this.database.source.manager.find(ClientEntity, {
      ...(after === undefined ? {} : { where: { id: MoreThan(after) } }),
      order: { id: 'ASC' },
      take: query.limit + 1,
    });
    const last = clients[query.limit - 1];
    const more = clients.length > query.limit && last !== undefined;
    return {
      items: clients.slice(0, query.limit).map((client) => clientView(client)),
      nextCursor: more ? Buffer.from(last.id).toString('base64url') : null,
    };
  }

  async get(id: string): Promise<ClientDetailView> {
    const { manager } = this.database.source;
    const client = await found(manager, id);
    const keys = await manager.find(ApiKeyEntity, { where: { clientId: id }, order: { id: 'ASC' } });
    const secrets = await manager.find(ClientSecretEntity, { where: { clientId: id }, order: { id: 'ASC' } });
    return {
      ...clientView(client),
      keys: keys.map((key) => keyView(key)),
      secrets: secrets.map((secret) => secretView(secret)),
    };
  }

  /** @throws ProblemError `conflict` when the name is taken. */
  create(call: Call, client: NewClient): Promise<ClientView> {
    return this.act(async (tx) => {
      const id = await insertClient(tx, this.clock.now(), client);
      await this.record(tx, call, id, { act: 'client.created', ...client });
      return clientView(await found(tx, id));
    });
  }

  /** @throws ProblemError `version-conflict` when `version` is given and another, `conflict` for a revoked client. */
  change(call: Call, id: string, patch: ClientPatch, version: number | undefined): Promise<ClientView> {
    return this.act(async (tx) => {
      const client = await this.held(tx, id, version);
      const { factors, ...plain } = patch;
      const changes = { ...plain, ...(factors === undefined ? {} : { factors: { ...client.factors, ...factors } }) };
      if (Object.keys(changes).length === 0) return clientView(client);
      await tx.update(ClientEntity, id, {
        ...changes,
        version: client.version + 1,
        updatedAt: this.clock.now(),
      } as Partial<ClientEntity>);
      const changed = await found(tx, id);
      const [before, after] = [client, changed].map(({ name, scopes, factors: needs, state, addresses }) => ({
        name,
        scopes,
        factors: { ...needs },
        state,
        addresses,
      }));
      await this.record(tx, call, id, { act: 'client.changed', before, after });
      return clientView(changed);
    });
  }

  addKey(call: Call, clientId: string, key: NewKey): Promise<MadeKey> {
    return this.act(async (tx) => {
      const client = await this.held(tx, clientId, undefined);
      const scopes = key.scopes ?? client.scopes;
      const beyond = scopes.filter((scope) => !client.scopes.includes(scope));
      if (beyond.length > 0) throw invalid('/scopes', `the client does not hold ${beyond.join(', ')}`);
      const now = this.clock.now();
      const live = await tx.count(ApiKeyEntity, { where: { clientId, revokedAt: IsNull(), expiresAt: MoreThan(now) } });
      if (live >= MOST_KEYS) throw new ProblemError('conflict', { detail: `A client has at most ${MOST_KEYS} keys.` });
      const made = await insertKey(tx, now, clientId, scopes, this.expiry(key, now));
      const { id: keyId, prefix, expiresAt } = made;
      await this.record(tx, call, clientId, {
        act: 'client.key-added',
        keyId,
        prefix,
        scopes,
        expiresAt: expiresAt.toISOString(),
      });
      return made;
    });
  }

  /** A key that was revoked before stays as it is. */
  async revokeKey(call: Call, clientId: string, keyId: string): Promise<void> {
    await this.act(async (tx) => {
      await found(tx, clientId);
      const key = isUuid(keyId) ? await tx.findOneBy(ApiKeyEntity, { id: keyId, clientId }) : null;
      if (key === null) throw new ProblemError('not-found');
      if (key.revokedAt !== null) return;
      await tx.update(ApiKeyEntity, keyId, { revokedAt: this.clock.now() });
      await this.record(tx, call, clientId, { act: 'client.key-revoked', keyId, prefix: key.prefix });
    });
  }

  addSecret(call: Call, clientId: string): Promise<MadeSecret> {
    return this.act(async (tx) => {
      await this.held(tx, clientId, undefined);
      const made = await insertClientSecret(tx, this.clock.now(), clientId);
      await this.record(tx, call, clientId, { act: 'client.secret-added', secretId: made.id });
      return made;
    });
  }

  /** The client with its row locked. */
  private async held(tx: Tx, id: string, version: number | undefined): Promise<ClientEntity> {
    const client = await found(tx, id, true);
    if (version !== undefined && version !== client.version) throw new ProblemError('version-conflict');
    if (client.state === 'revoked') throw new ProblemError('conflict', { detail: 'The client was revoked for good.' });
    return client;
  }

  private expiry(key: NewKey, now: Date): Date {
    const latest = new Date(now.getTime() + this.config.auth.keys.maxAgeDays * DAY_MS);
    if (key.expiresAt === undefined) return latest;
    const wanted = new Date(key.expiresAt);
    if (wanted <= now || wanted > latest)
      throw invalid('/expiresAt', `must be in the future and by ${latest.toISOString()}`);
    return wanted;
  }

  private async record(
    tx: Tx,
    call: Call,
    clientId: string,
    detail: NonNullable<RecordInput['detail']>,
  ): Promise<void> {
    const now = this.clock.now();
    const administrator = administratorOf(call);
    await this.audit.appendIn(tx, {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: 'admin.act',
      call: call.id,
      trace: call.traceId,
      client: clientId,
      actor: administrator.id,
      credential: administrator.tokenId,
      detail,
    });
  }

  private async act<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      const done = await this.database.transaction(work);
      this.keys.forget();
      this.clients.forget();
      return done;
    } catch (error) {
      throw expected(error);
    }
  }
}

async function found(tx: Tx, id: string, forUpdate = false): Promise<ClientEntity> {
  const client = isUuid(id)
    ? await tx.findOne(ClientEntity, {
        where: { id },
        ...(forUpdate ? { lock: { mode: 'pessimistic_write' as const } } : {}),
      })
    : null;
  if (client === null) throw new ProblemError('not-found');
  return client;
}

function invalid(pointer: string, message: string): ProblemError {
  return new ProblemError('invalid-request', { errors: [{ pointer, message }] });
}

/** What only the database can judge, as a refusal of the request. */
function expected(error: unknown): unknown {
  if (!(error instanceof QueryFailedError)) return error;
  const { code } = error.driverError as { code?: string };
  if (code === UNIQUE_VIOLATION) return new ProblemError('conflict', { detail: 'There is a client of this name.' });
  if (code === INVALID_TEXT) return invalid('/addresses', 'must be networks, without bits beyond their prefix');
  return error;
}
