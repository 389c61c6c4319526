import { Inject, Injectable } from '@nestjs/common';
import { AuditLog, type RecordInput } from '../../audit/index.js';
import { type Call, Clock, type Config, CONFIG, isUuid, ProblemError, type Tx, uuidv7 } from '../../platform/index.js';
import { type EndpointAct, ENDPOINT_TRANSITIONS } from './endpoint-states.js';
import { type Endpoint, EndpointStore, type Owner } from './endpoint-store.js';
import { TEST_EVENT } from './event-types.js';
import { ReceiverAddresses } from './receiver-address.js';
import type { EndpointListQuery, EndpointPatch, NewEndpoint, RotateBody } from './schemas.js';
import type { MadeKey } from './signing.js';
import { type KeyView, SigningKeys } from './signing-keys.js';
import { WebhookEvents } from './webhook-events.js';

export interface EndpointView {
  id: string;
  client: string | null;
  url: string;
  description: string;
  eventTypes: string[];
  payload: 'thin' | 'full';
  ordered: boolean;
  state: Endpoint['state'];
  reason: string | null;
  /** Null while it answers well. */
  failingSince: string | null;
  warnedAt: string | null;
  keys: KeyView[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** With the secret, which is shown once; null where a public key is all that the receiver needs. */
export interface MadeEndpointView extends EndpointView {
  secret: string | null;
}

const HOUR_MS = 3_600_000;

/** Endpoints as clients and administrators keep them: each act is one transaction with its record. */
@Injectable()
export class Endpoints {
  constructor(
    private readonly store: EndpointStore,
    private readonly keys: SigningKeys,
    private readonly events: WebhookEvents,
    private readonly addresses: ReceiverAddresses,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Oldest first. @throws ProblemError `invalid-cursor` */
  async list(owner: Owner, query: EndpointListQuery): Promise<{ items: EndpointView[]; nextCursor: string | null }> {
    const { limit, cursor, client } = query;
    if (cursor !== undefined && !isUuid(cursor)) throw new ProblemError('invalid-cursor', { rule: 'cursor.id' });
    const found = await this.store.page(owner, client, cursor, limit + 1);
    const rows = found.slice(0, limit);
    const more = found.length > limit ? rows.at(-1) : undefined;
    return { items: await this.views(this.store.now, rows), nextCursor: more?.id ?? null };
  }

  async get(owner: Owner, id: string): Promise<EndpointView> {
    return this.view(this.store.now, await this.store.get(this.store.now, owner, id));
  }

  /** @throws ProblemError `invalid-request` for a URL that may be no receiver, `conflict` when there are enough */
  create(call: Call, client: string | null, { signing, ...given }: NewEndpoint): Promise<MadeEndpointView> {
    this.checkUrl(given.url);
    return this.store.transaction(async (tx) => {
      const now = this.clock.now();
      const { endpointsPerClient } = this.config.webhooks.out;
      if ((await this.store.count(tx, client)) >= endpointsPerClient)
        throw new ProblemError('conflict', {
          detail: `There are at most ${endpointsPerClient} endpoints.`,
          rule: 'webhook.endpoints',
        });
      const endpoint: Endpoint = {
        ...given,
        id: uuidv7(now.getTime()),
        clientId: client,
        state: 'active',
        reason: null,
        ...well(now),
        version: 1,
        createdAt: now,
        updatedAt: now,
      };
      await this.store.insert(tx, endpoint);
      const key = await this.keys.add(tx, endpoint.id, signing);
      await this.record(tx, call, endpoint, 'created', { ...told(given), signing });
      return this.made(tx, endpoint, key);
    });
  }

  /** @throws ProblemError `version-conflict` when another version stands by now */
  change(
    call: Call,
    owner: Owner,
    id: string,
    patch: EndpointPatch,
    version: number | undefined,
  ): Promise<EndpointView> {
    if (patch.url !== undefined) this.checkUrl(patch.url);
    return this.act(call, owner, id, 'changed', told(patch), (endpoint) => {
      if (version !== endpoint.version) throw new ProblemError('version-conflict', { rule: 'webhook.endpoint' });
      return { ...endpoint, ...(patch as Partial<Endpoint>) };
    });
  }

  /** @throws ProblemError `conflict` */
  move(call: Call, owner: Owner, id: string, act: EndpointAct): Promise<EndpointView> {
    return this.act(call, owner, id, act, {}, (endpoint) => {
      const state = ENDPOINT_TRANSITIONS[endpoint.state][act];
      if (state === undefined)
        throw new ProblemError('conflict', {
          detail: `An endpoint that is ${endpoint.state} does not take this.`,
          rule: 'webhook.endpoint',
        });
      // Who resumes it says that it is mended: what was learnt of it before counts no more.
      const learnt = act === 'resume' ? well(this.clock.now()) : {};
      return { ...endpoint, ...learnt, state, reason: state === 'disabled' ? 'person' : null };
    });
  }

  /** A new key signs from now on, and the one before beside it for a while. */
  rotate(call: Call, owner: Owner, id: string, { signing, overlapHours }: RotateBody): Promise<MadeEndpointView> {
    return this.store.transaction(async (tx) => {
      const endpoint = await this.store.get(tx, owner, id, true);
      const before = (await this.keys.views(tx, [id])).get(id) ?? [];
      const scheme = signing ?? before[0]?.scheme ?? 'hmac';
      await this.keys.retire(tx, id, new Date(this.clock.epochMs() + overlapHours * HOUR_MS));
      const key = await this.keys.add(tx, id, scheme);
      await this.record(tx, call, endpoint, 'key-rotated', { signing: scheme, overlapHours });
      return this.made(tx, endpoint, key);
    });
  }

  /** Sends an event that tells of nothing. @returns the id of its delivery */
  test(call: Call, owner: Owner, id: string): Promise<{ delivery: string }> {
    return this.store.transaction(async (tx) => {
      const endpoint = await this.store.get(tx, owner, id, true);
      const event = { at: this.clock.now(), type: TEST_EVENT, client: endpoint.clientId, facts: {} };
      const delivery = await this.events.tellOne(tx, id, event);
      if (delivery === undefined)
        throw new ProblemError('conflict', {
          detail: `An endpoint that is ${endpoint.state} takes no event.`,
          rule: 'webhook.endpoint',
        });
      await this.record(tx, call, endpoint, 'tested', { delivery });
      return { delivery };
    });
  }

  /** What waits for it goes, too. */
  remove(call: Call, owner: Owner, id: string): Promise<void> {
    return this.store.transaction(async (tx) => {
      const endpoint = await this.store.get(tx, owner, id, true);
      await this.store.remove(tx, id);
      await this.record(tx, call, endpoint, 'removed', {});
    });
  }

  private act(
    call: Call,
    owner: Owner,
    id: string,
    act: string,
    detail: RecordInput['detail'],
    change: (endpoint: Endpoint) => Endpoint,
  ): Promise<EndpointView> {
    return this.store.transaction(async (tx) => {
      const before = await this.store.get(tx, owner, id, true);
      const after = { ...change(before), version: before.version + 1, updatedAt: this.clock.now() };
      await this.store.update(tx, after);
      await this.record(tx, call, after, act, detail);
      return this.view(tx, after);
    });
  }

  private async record(
    tx: Tx,
    call: Call,
    { id, clientId }: Endpoint,
    act: string,
    detail: RecordInput['detail'],
  ): Promise<void> {
    const now = this.clock.now();
    await this.auditLog.appendIn(tx, {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: 'webhook.endpoint',
      call: call.id,
      trace: call.traceId,
      client: clientId ?? undefined,
      actor: call.caller?.kind === 'administrator' ? call.caller.id : undefined,
      detail: { act: `endpoint.${act}`, endpoint: id, ...detail },
    });
  }

  private checkUrl(url: string): void {
    const message = this.addresses.refusal(url);
    if (message !== undefined)
      throw new ProblemError('invalid-request', { errors: [{ pointer: '/url', message }], rule: 'webhook.url' });
  }

  private async made(tx: Tx, endpoint: Endpoint, key: MadeKey): Promise<MadeEndpointView> {
    return { ...(await this.view(tx, endpoint)), secret: key.shown ?? null };
  }

  private async view(from: Pick<Tx, 'query'>, endpoint: Endpoint): Promise<EndpointView> {
    const [view] = await this.views(from, [endpoint]);
    if (view === undefined) throw new Error('an endpoint has a view');
    return view;
  }

  private async views(from: Pick<Tx, 'query'>, endpoints: readonly Endpoint[]): Promise<EndpointView[]> {
    const keys = await this.keys.views(
      from,
      endpoints.map(({ id }) => id),
    );
    return endpoints.map((one) => ({
      id: one.id,
      client: one.clientId,
      url: one.url,
      description: one.description,
      eventTypes: one.eventTypes,
      payload: one.payload,
      ordered: one.ordered,
      state: one.state,
      reason: one.reason,
      failingSince: one.failingSince?.toISOString() ?? null,
      warnedAt: one.warnedAt?.toISOString() ?? null,
      keys: keys.get(one.id) ?? [],
      version: one.version,
      createdAt: one.createdAt.toISOString(),
      updatedAt: one.updatedAt.toISOString(),
    }));
  }
}

/** Nothing is known against it. */
function well(now: Date): Pick<Endpoint, 'failuresInRow' | 'failingSince' | 'warnedAt' | 'resumeAt'> {
  return { failuresInRow: 0, failingSince: null, warnedAt: null, resumeAt: now };
}

/** For the record. Paths and queries of receivers may hold secrets, and a description may name somebody. */
function told({ url, eventTypes, payload, ordered }: EndpointPatch): RecordInput['detail'] {
  return { host: url === undefined ? undefined : new URL(url).host, eventTypes, payload, ordered };
}
