import { Injectable } from '@nestjs/common';
import { Database, Log, Outbox, ProblemError, Vault } from '../../platform/index.js';
import { Clock } from '../../platform/index.js';
import {
  clientTag,
  DiditVendor,
  namespaced,
  reportStatus,
  type VendorAnswer,
  VendorFailure,
  type VendorRequest,
} from '../../vendors/index.js';
import type { Background } from '../vendor/asker.js';
import { UnlistedFields } from '../vendor/unlisted-fields.js';
import { VendorCalls } from '../vendor/vendor-calls.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import type { StepDefinition } from './definition.js';
import type { StepRequest } from './plan.js';
import type { UploadRow } from './run-store.js';
import type { Settlement } from './settlement.js';
import { type StepOperation, stepOperation } from './step-operations.js';

export const UPLOAD_PURPOSE = 'upload';
/** All of the person's data that the vendor answered with, and no picture. */
const KEPT = { pii: true, media: false, link: false };
/** Where nobody says how long to wait. */
const REST_MS = 5_000;
const NO_ROOM: ReadonlySet<string> = new Set(['overloaded', 'shutting-down', 'vendor-budget-exceeded']);
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'application/pdf': 'pdf',
};

export interface Sending {
  row: VerificationEntity;
  step: StepDefinition;
  /** Id of this attempt. */
  attempt: string;
  request: StepRequest;
  uploads: readonly UploadRow[];
}

/** The way of a step to the vendor, for which a test may put its own. */
export abstract class StepVendor {
  /** Never fails: what went wrong is a settlement too. */
  abstract send(sending: Sending): Promise<Settlement>;
}

/** Sends steps by the one way to the vendor. Nothing is kept there: what the firm has to keep it keeps here. */
@Injectable()
export class StepSender extends StepVendor {
  constructor(
    private readonly calls: VendorCalls,
    private readonly vendor: DiditVendor,
    private readonly unlisted: UnlistedFields,
    private readonly vault: Vault,
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    super();
  }

  override async send(sending: Sending): Promise<Settlement> {
    const operation = stepOperation(sending.step.operation);
    if (operation === undefined) return { kind: 'refused' };
    let request: VendorRequest;
    try {
      request = await this.requestOf(sending, operation);
    } catch (error) {
      this.log.warn('a step could not be made ready', { operation: operation.operation, error });
      return { kind: 'undone', afterMs: 0 };
    }
    try {
      const answer = await this.calls.call(askerOf(sending), operation.operation, request);
      return answer.code === undefined ? await this.read(operation, answer) : { kind: 'refused' };
    } catch (error) {
      return failed(error);
    }
  }

  private async read(operation: StepOperation, answer: VendorAnswer): Promise<Settlement> {
    const { value, unlisted } = this.vendor.masks.answer(operation.operation, answer.body, KEPT);
    this.unlisted.tell(operation.operation, unlisted);
    const report = (value as Record<string, unknown> | undefined)?.[operation.report];
    const said = (answer.body as Record<string, Record<string, unknown> | undefined>)[operation.report]?.['status'];
    const end = reportStatus(said);
    if (end === 'passed' || end === 'failed') return { kind: 'answered', end, report };
    if (end === undefined) await this.tellUnknown(said);
    return { kind: 'answered', end: 'review', report };
  }

  private async requestOf(sending: Sending, operation: StepOperation): Promise<VendorRequest> {
    const { row, step, request } = sending;
    const own = { vendor_data: namespaced(clientTag(row.clientId), row.id, row.id), save_api_request: false };
    const key = operation.keyed ? { headers: { 'idempotency-key': `${row.id}.${step.name}` } } : {};
    const signal = AbortSignal.timeout(step.timeout);
    const pictures = Object.values({ ...operation.needs, ...operation.takes }).some((takes) => takes !== 'text');
    if (!pictures) {
      const members = Object.entries(request).map(([name, one]) => [name, 'value' in one ? one.value : undefined]);
      return { body: { json: { ...Object.fromEntries(members), ...own } }, signal, ...key };
    }
    const form = new FormData();
    for (const [name, one] of Object.entries(request)) {
      if ('value' in one) form.set(name, String(one.value));
      else
        await this.attach(
          form,
          name,
          sending.uploads.find((upload) => upload.name === one.upload),
        );
    }
    for (const [name, value] of Object.entries(own)) form.set(name, String(value));
    const encoded = new Response(form);
    const contentType = encoded.headers.get('content-type') ?? '';
    return { body: { bytes: Buffer.from(await encoded.arrayBuffer()), contentType }, signal, ...key };
  }

  private async attach(form: FormData, name: string, upload: UploadRow | undefined): Promise<void> {
    const bytes =
      upload?.item == null
        ? undefined
        : await this.vault.get(this.database.source.manager, upload.item, UPLOAD_PURPOSE);
    if (upload === undefined || bytes === undefined) throw new Error('an upload is not there any more');
    const blob = new Blob([new Uint8Array(bytes)], { type: upload.mediaType });
    form.set(name, blob, `${upload.name}.${EXTENSIONS[upload.mediaType] ?? 'bin'}`);
  }

  private async tellUnknown(status: unknown): Promise<void> {
    await this.database.transaction((tx) =>
      this.outbox.tell(tx, {
        at: this.clock.now(),
        kind: 'vendor.unknown-status',
        subject: 'didit',
        detail: { status: String(status).slice(0, 64) },
      }),
    );
  }
}

export const RUN_JOB = 'workflows.run';

function askerOf({ row, attempt }: Sending): Background {
  return {
    job: RUN_JOB,
    call: attempt,
    client: row.clientId,
    verification: row.id,
    subject: row.subject,
    priority: 'interactive',
  };
}

function failed(error: unknown): Settlement {
  if (error instanceof VendorFailure) {
    if (error.outcome === 'unknown') return { kind: 'unsure', reason: 'unsure' };
    return { kind: 'undone', afterMs: (error.retryAfterSeconds ?? 0) * 1_000 };
  }
  if (error instanceof ProblemError) {
    if (!NO_ROOM.has(error.code)) return { kind: 'refused' };
    const seconds = Number(error.headers['retry-after']);
    return { kind: 'put-off', afterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : REST_MS };
  }
  // A defect, or the log that could not be written after the vendor was called.
  return { kind: 'unsure', reason: 'unsure' };
}
