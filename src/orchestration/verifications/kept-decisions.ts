import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type Config, CONFIG, Database, type Tx, Vault } from '../../platform/index.js';
import { DiditVendor } from '../../vendors/index.js';
import type { VerificationEntity } from './verification.entity.js';

const PURPOSE = 'decision';
/** Links to media are made anew for every answer: what is compared is the rest. */
const STABLE = { pii: true, media: false, link: false };
const DIGEST_LENGTH = 64;

type Holder = Pick<VerificationEntity, 'subject' | 'decision'>;

/** The vendor's decisions, sealed under the subject's key, so that a verification is answered without the vendor. */
@Injectable()
export class KeptDecisions {
  constructor(
    private readonly vault: Vault,
    private readonly vendor: DiditVendor,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Keeps a decision in place of the one that stands there. @returns its id, which stays when nothing has changed. */
  async replace(tx: Tx, holder: Holder, decision: unknown): Promise<string> {
    const digest = this.digest(decision);
    const { decision: before } = holder;
    if (before !== null) {
      const known = await this.vault.get(tx, before, PURPOSE);
      if (known?.subarray(0, DIGEST_LENGTH).toString() === digest) return before;
      await this.vault.drop(tx, before);
    }
    return this.vault.put(tx, {
      owner: `subject:${holder.subject}`,
      purpose: PURPOSE,
      plain: Buffer.from(digest + JSON.stringify(decision)),
      keepMs: this.config.workflows.onboarding.keepDecision,
    });
  }

  async drop(tx: Tx, holder: Holder): Promise<void> {
    if (holder.decision !== null) await this.vault.drop(tx, holder.decision);
  }

  /** Undefined when there is none, it was kept long enough, or the subject was erased. */
  async get(holder: Holder): Promise<unknown> {
    if (holder.decision === null) return undefined;
    const plain = await this.vault.get(this.database.source.manager, holder.decision, PURPOSE);
    return plain === undefined ? undefined : (JSON.parse(plain.subarray(DIGEST_LENGTH).toString()) as unknown);
  }

  /** Of what stays the same from one answer to the next, as long as the decision does. */
  private digest(decision: unknown): string {
    const { value } = this.vendor.masks.answer('session.decision', decision, STABLE);
    return hash('sha256', JSON.stringify(value ?? null), 'hex');
  }
}
