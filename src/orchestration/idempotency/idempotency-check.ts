import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import {
  type Answer,
  type Call,
  clientOf,
  Clock,
  type Config,
  CONFIG,
  equalInConstantTime,
  Keyring,
  ProblemError,
  ReplayedAnswer,
  type Tx,
  uuidv7,
} from '../../platform/index.js';
import { AnswerKeeper } from './answer-keeper.js';
import { bodyDigest } from './body-digest.js';
import { IdempotencyStore, type KeyRow, type Scope } from './idempotency-store.js';
import { Leases } from './leases.js';
import { fateOf } from './stored-answer.js';

const KEY = /^[\x21-\x7e]{1,255}$/;
/** Between a claim that found the key taken and the look at it, its holder may have let go: then the claim is made again. */
const MOST_CLAIMS = 3;

/**
 * Room 6: a write that is repeated under its Idempotency-Key is done once. Keys are scoped by client, method and path; the answer is
 * kept sealed under the client's key.
 */
@Injectable()
export class IdempotencyCheck {
  constructor(
    private readonly store: IdempotencyStore,
    private readonly leases: Leases,
    private readonly answers: AnswerKeeper,
    private readonly clock: Clock,
    private readonly keyring: Keyring,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Lets the first call of a key pass and marks it in `call.idempotency`.
   * @throws ReplayedAnswer for a repeat whose first call has answered.
   * @throws ProblemError `invalid-request` without a usable key, `idempotency-key-reused`, `idempotency-in-progress`.
   */
  async begin(call: Call, headers: IncomingHttpHeaders, body: unknown): Promise<void> {
    const key = keyOf(headers);
    const scope: Scope = { clientId: clientOf(call).id, method: call.method, path: withoutSlash(call.path), key };
    const digest = bodyDigest(this.keyring.key('idempotency'), body);
    for (let attempt = 0; attempt < MOST_CLAIMS; attempt += 1) {
      const claimed = await this.claim(call, scope, digest);
      if (claimed !== undefined) {
        call.idempotency = { key, ...claimed };
        this.leases.hold(claimed.id, call.id);
        return;
      }
      const row = await this.store.find(scope);
      if (row) await this.judge(row, digest);
    }
    throw inProgress();
  }

  /** Keeps the answer for repeats, or lets go of the key; in the transaction of the call's record. */
  async finish(tx: Tx, call: Call, answer: Answer): Promise<void> {
    const { idempotency } = call;
    if (!idempotency) return;
    const until = await this.store.lockHeld(tx, idempotency.id, call.id);
    if (until === undefined) return;
    const fate = fateOf(answer.status);
    if (fate === 'forget') await this.store.forget(tx, idempotency.id);
    else if (fate === 'release') await this.store.release(tx, idempotency.id, call.id, this.clock.now());
    else await this.store.keep(tx, idempotency.id, await this.answers.put(tx, clientOf(call).id, answer, until));
  }

  /** The call is over: its key is no longer kept taken from here. */
  ended(call: Call): void {
    this.leases.drop(call.id);
  }

  private async claim(call: Call, scope: Scope, digest: Buffer): Promise<{ id: string; again: boolean } | undefined> {
    const now = this.clock.now();
    const offered = uuidv7(now.getTime());
    const id = await this.store.claim({
      ...scope,
      id: offered,
      bodyDigest: digest,
      holder: call.id,
      now,
      leaseUntil: this.leases.until(now.getTime()),
      expiresAt: new Date(now.getTime() + this.config.idempotency.keep),
    });
    return id === undefined ? undefined : { id, again: id !== offered };
  }

  /** Why the claim failed; returns when there is no reason any more. */
  private async judge(row: KeyRow, digest: Buffer): Promise<void> {
    const now = this.clock.now();
    if (row.expires_at <= now) return;
    // Erased with the person whom the call was about, and the digest of its body with it: there is nothing left to compare.
    if (row.state === 'done' && row.answer === null) throw noLongerKept();
    if (!equalInConstantTime(row.body_digest, digest))
      throw new ProblemError('idempotency-key-reused', { rule: 'idempotency.body' });
    if (row.state === 'running') {
      if (row.lease_until <= now) return;
      throw inProgress();
    }
    const kept = row.answer === null ? undefined : await this.answers.get(row.answer);
    if (kept === undefined) throw noLongerKept();
    const { status, headers, body } = kept;
    throw new ReplayedAnswer(status, { ...headers, 'idempotency-replayed': 'true' }, Buffer.from(body));
  }
}

function keyOf(headers: IncomingHttpHeaders): string {
  const key = headers['idempotency-key'];
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new ProblemError('invalid-request', {
    errors: [
      { pointer: '', message: 'needs one Idempotency-Key header of 1 to 255 visible ASCII characters without spaces' },
    ],
    rule: 'idempotency.key',
  });
}

/** The router takes a path with and without its last slash: both are one scope. */
function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

function noLongerKept(): ProblemError {
  return new ProblemError('conflict', {
    detail: 'The answer to the first call with this Idempotency-Key is no longer kept.',
    rule: 'idempotency.erased',
  });
}

function inProgress(): ProblemError {
  return new ProblemError('idempotency-in-progress', { headers: { 'retry-after': '1' }, rule: 'idempotency.running' });
}
