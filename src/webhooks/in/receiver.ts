import { Inject, Injectable } from '@nestjs/common';
import { AuditLog, type RecordInput } from '../../audit/index.js';
import {
  type Call,
  Clock,
  type Config,
  CONFIG,
  Database,
  Jobs,
  Log,
  Outbox,
  ProblemError,
  type Tx,
  uuidv7,
} from '../../platform/index.js';
import { AddressSet, Anonymous } from '../../policy/index.js';
import { DiditVendor, type Verdict, type WebhookHeaders } from '../../vendors/index.js';
import { type Arrival, Inbox } from './inbox.js';
import { Intake } from './intake.js';
import { FOLLOW } from './queues.js';
import { type WebhookEvent, webhookEvent } from './webhook-event.js';

const VENDOR = 'didit';

type Accepted = Exclude<Verdict, { kind: 'forged' }>;

interface Taken {
  call: Call;
  verdict: Accepted;
  event: WebhookEvent;
  bytes: Buffer;
  digest: Buffer;
}

/** Takes a webhook in: judged by its signatures, kept with its record and its job in one transaction, and only then answered. */
@Injectable()
export class WebhookReceiver {
  readonly #addresses: AddressSet;
  readonly #intake: Intake<Taken, Arrival>;

  constructor(
    private readonly vendor: DiditVendor,
    private readonly database: Database,
    private readonly inbox: Inbox,
    private readonly jobs: Jobs,
    private readonly audit: AuditLog,
    private readonly outbox: Outbox,
    private readonly anonymous: Anonymous,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) config: Config,
  ) {
    this.#addresses = new AddressSet(config.vendors.didit.webhookAddresses);
    this.#intake = new Intake((taken) => this.database.transaction((tx) => this.keep(tx, taken)));
  }

  /** @throws ProblemError `unauthenticated`, or `rate-limited` where too many were forged, when nobody who knows a secret wrote it */
  async receive(call: Call, bytes: Buffer, headers: WebhookHeaders): Promise<void> {
    if (this.#addresses.size > 0 && !this.#addresses.has(call.address)) throw await this.refuse(call, 'address');
    const verdict = this.vendor.judgeWebhook(bytes, headers);
    if (verdict.kind === 'forged') throw await this.refuse(call, verdict.reason);
    call.anonymous = false;
    const digest = this.inbox.digest(bytes);
    const event = webhookEvent(verdict.event, !isSimple(verdict), digest);
    const arrival = await this.#intake.take({ call, verdict, event, bytes, digest });
    // Its digests are erased with the person; of one who was erased already there is to be none.
    const { holder } = arrival;
    if (holder !== undefined) call.subject = holder.subject;
    if (holder?.verification !== undefined) call.verification = holder.verification;
    if (holder?.erased === true) delete call.rawBody;
    call.detail = {
      webhook: arrival.id,
      sessionId: event.sessionId ?? null,
      verdict: verdict.kind,
      reason: reasonOf(verdict),
      duplicate: arrival.duplicate,
    };
  }

  private async keep(tx: Tx, taken: readonly Taken[]): Promise<Arrival[]> {
    const arrivals = await this.inbox.receive(
      tx,
      taken.map(({ verdict, event, bytes, digest }) => ({
        vendor: VENDOR,
        eventKey: event.key,
        verdict: verdict.kind,
        reason: reasonOf(verdict),
        eventType: event.type,
        sessionId: event.sessionId,
        bytes,
        digest,
      })),
    );
    const now = this.clock.now();
    const both = taken.map((one, at) => ({ ...one, arrival: arrivals[at]! }));
    await this.audit.appendAllIn(
      tx,
      both.map((one) => recordOf(one, now)),
    );
    const open = both.filter(({ arrival }) => arrival.open);
    await this.jobs.sendAll(
      tx,
      FOLLOW,
      open.map(({ arrival, call }) => ({ webhook: arrival.id, call: call.id })),
    );
    return arrivals;
  }

  /** Nothing is kept of a forged one but that it came; a flood of them costs one counted record and no signal. */
  private async refuse(call: Call, reason: string): Promise<ProblemError> {
    const unauthenticated = new ProblemError('unauthenticated', {
      rule: 'webhook.signature',
      reason: `forged: ${reason}`,
      detail: 'None of the signatures of this webhook is valid.',
    });
    const refusal = this.anonymous.refuse(call, unauthenticated);
    if (!call.recorded) await this.tellForged(call, reason);
    return refusal;
  }

  private async tellForged(call: Call, reason: string): Promise<void> {
    try {
      await this.outbox.tell(this.database.source.manager, {
        at: this.clock.now(),
        kind: 'webhook.forged',
        subject: VENDOR,
        recordId: call.id,
        detail: { reason },
      });
    } catch (error) {
      this.log.error('a forged webhook could not be told', { callId: call.id, error });
    }
  }
}

function recordOf({ call, event, verdict, arrival }: Taken & { arrival: Arrival }, now: Date): RecordInput {
  return {
    id: uuidv7(now.getTime()),
    at: now.toISOString(),
    kind: 'webhook.received',
    call: call.id,
    trace: call.traceId,
    verification: arrival.holder?.verification,
    subject: arrival.holder?.subject,
    detail: {
      webhook: arrival.id,
      vendor: VENDOR,
      type: event.type,
      session: event.sessionId,
      verdict: verdict.kind,
      reason: reasonOf(verdict),
      secret: verdict.secret,
      duplicate: arrival.duplicate,
    },
  };
}

function isSimple(verdict: Accepted): boolean {
  return verdict.kind === 'ask' && verdict.reason === 'simple-only';
}

function reasonOf(verdict: Accepted): string {
  return verdict.kind === 'trusted' ? verdict.scheme : verdict.reason;
}
