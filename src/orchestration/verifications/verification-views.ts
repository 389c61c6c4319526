import { Injectable } from '@nestjs/common';
import { type Call, may } from '../../platform/index.js';
import { clientTag, DiditVendor, rightsOf, type VerificationResult, withOwnVendorData } from '../../vendors/index.js';
import { UnlistedFields } from '../vendor/unlisted-fields.js';
import type { Rung, VerificationRung } from '../fallback/rungs.js';
import type { Relationship } from './schemas.js';
import { Uploads, type UploadView } from '../workflows/uploads.js';
import type { Step } from './steps.js';
import { SubjectSecrets } from './subject-secrets.js';
import type { Status } from './transitions.js';
import type { VerificationEntity } from './verification.entity.js';
import type { Reading } from './verification-reader.js';

/** A verification as its client sees it. */
export interface VerificationView {
  id: string;
  status: Status;
  workflow: { name: string; version: number };
  subject: { reference: string | null; relationship: Relationship };
  /** The hosted page; null without a session, or for a caller who may not see it again. */
  url: string | null;
  vendor: { name: string; sessionId: string | null };
  /** How it came to its session, or why it has none. */
  rung: VerificationRung;
  steps: Step[];
  /** What the caller is to upload, for a workflow that the gateway runs itself; absent in lists. */
  uploads?: UploadView[];
  createdAt: string;
  updatedAt: string;
  expiresAt: string;
}

export interface DecidedView extends VerificationView {
  /** Null before there is a decision. */
  result: VerificationResult | null;
  warnings: unknown[];
  /** Where this answer comes from, and how many seconds ago the vendor said it; null for what it was never asked about. */
  answer: { rung: Rung; age: number | null };
  /** A person's decision, where there is one: it stands whatever the vendor says later. */
  review: { at: string } | null;
}

/** For whose eyes it is. */
type Viewer = Pick<Call, 'caller'>;

/** Verifications as they leave, masked for the caller. */
@Injectable()
export class VerificationViews {
  constructor(
    private readonly secrets: SubjectSecrets,
    private readonly vendor: DiditVendor,
    private readonly unlisted: UnlistedFields,
    private readonly uploads: Uploads,
  ) {}

  /** @param link whether the hosted link is shown; without it, only to callers with the right to see it again */
  async of(call: Viewer, rows: readonly VerificationEntity[], link = false): Promise<VerificationView[]> {
    const secrets = await this.secrets.open(rows, link || may(call, 'verifications:link'));
    return rows.map((row, at) => ({
      id: row.id,
      status: row.status,
      workflow: { name: row.workflow, version: row.workflowVersion },
      subject: { reference: secrets[at]?.reference ?? null, relationship: row.relationship },
      url: secrets[at]?.url ?? null,
      vendor: { name: row.vendor, sessionId: row.sessionId },
      rung: row.rung,
      steps: row.steps,
      createdAt: row.createdAt.toISOString(),
      updatedAt: row.updatedAt.toISOString(),
      expiresAt: row.expiresAt.toISOString(),
    }));
  }

  /** @param link as for `of` */
  async one(call: Viewer, row: VerificationEntity, link = false): Promise<VerificationView> {
    const [view] = await this.of(call, [row], link);
    if (view === undefined) throw new Error('a row has a view');
    const uploads = await this.uploads.wanted(row);
    return uploads === undefined ? view : { ...view, uploads };
  }

  /** With the decision, as far as the caller may see it. */
  async decided(call: Viewer, { row, decision, rung, ageSeconds }: Reading): Promise<DecidedView> {
    const answer = { rung, age: ageSeconds ?? null };
    const review = row.reviewedAt === null ? null : { at: row.reviewedAt.toISOString() };
    const view = { ...(await this.one(call, row)), answer, review };
    if (decision === undefined || call.caller?.kind !== 'client') return { ...view, result: null, warnings: [] };
    const own = withOwnVendorData(clientTag(row.clientId), decision);
    const rights = rightsOf(call.caller.scopes);
    const seen = { ...rights, media: rights.media && rung === 'fresh' };
    const { result, warnings, unlisted } = this.vendor.masks.result(own, seen);
    this.unlisted.tell('session.decision', unlisted);
    return { ...view, result, warnings };
  }
}
