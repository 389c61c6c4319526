import { Inject, Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { AuditLog } from '../../audit/index.js';
import {
  type Call,
  Clock,
  clientOf,
  type Config,
  CONFIG,
  isUuid,
  ProblemError,
  type Tx,
  Vault,
} from '../../platform/index.js';
import { recordOf } from '../vendor/asker.js';
import { VerificationStore } from '../verifications/verification-store.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import type { UploadDefinition } from './definition.js';
import { mediaTypeOf } from './media-types.js';
import { RunStarter } from './run-starter.js';
import { RunStore } from './run-store.js';
import { UPLOAD_PURPOSE } from './step-sender.js';
import { UploadReader } from './upload-reader.js';
import { type Workflow, WorkflowCatalogue } from './workflow-catalogue.js';

/** Beyond the run's own deadline, so that a step that is sent at the last moment finds its pictures. */
const SPARE_MS = 3_600_000;

/** What a verification wants uploaded, and whether it has come. */
export interface UploadView {
  name: string;
  mediaTypes: readonly string[];
  /** Most bytes. */
  maxBytes: number;
  required: boolean;
  received: boolean;
}

/** Pictures from the caller, sealed under the subject's key until the step that needs them is done. */
@Injectable()
export class Uploads {
  readonly #reader: UploadReader;

  constructor(
    private readonly store: VerificationStore,
    private readonly runs: RunStore,
    private readonly catalogue: WorkflowCatalogue,
    private readonly starter: RunStarter,
    private readonly vault: Vault,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    this.#reader = new UploadReader(config.workflows.uploadMemory);
  }

  /**
   * Keeps one, in place of an earlier one of that name; the last that is needed starts the run.
   * @throws ProblemError `not-found`, `conflict` once it has started, `unsupported-media-type`, `body-too-large`, `overloaded`
   */
  async keep(call: Call, id: string, name: string, body: unknown, contentType: string): Promise<VerificationEntity> {
    const client = clientOf(call).id;
    const row = isUuid(id) ? await this.store.find(client, id) : null;
    if (row === null) throw unknown();
    call.verification = row.id;
    call.subject = row.subject;
    const workflow = await this.catalogue.version(row.workflow, row.workflowVersion);
    const wanted = Object.hasOwn(workflow.definition.uploads, name) ? workflow.definition.uploads[name] : undefined;
    if (wanted === undefined) throw unknown();
    refuseLate(row, this.clock.now());
    const mediaType = accepted(wanted, contentType);
    const bytes = await this.#reader.read(body as Readable, wanted.maxBytes, client);
    try {
      call.bytesIn = bytes.length;
      if (mediaTypeOf(bytes) !== mediaType)
        throw new ProblemError('unsupported-media-type', {
          detail: `The bytes are not of the type ${mediaType}.`,
          rule: 'upload.bytes',
        });
      return await this.store.transaction((tx) => this.put(tx, call, row.id, workflow, { name, mediaType, bytes }));
    } finally {
      this.#reader.done(bytes.length, client);
    }
  }

  /** Undefined where nothing is wanted from the caller. */
  async wanted(row: VerificationEntity): Promise<UploadView[] | undefined> {
    if (row.hosted) return undefined;
    const { definition } = await this.catalogue.version(row.workflow, row.workflowVersion);
    const kept = await this.runs.uploadNames(row.id);
    return Object.entries(definition.uploads).map(([name, { mediaTypes, maxBytes, required }]) => ({
      name,
      mediaTypes,
      maxBytes,
      required,
      received: kept.has(name),
    }));
  }

  private async put(
    tx: Tx,
    call: Call,
    id: string,
    workflow: Workflow,
    { name, mediaType, bytes }: { name: string; mediaType: string; bytes: Buffer },
  ): Promise<VerificationEntity> {
    const now = this.clock.now();
    const row = await this.store.lock(tx, id);
    // Whoever was erased while the picture came is not known any more.
    if (row === null || row.erasedAt !== null) throw unknown();
    refuseLate(row, now);
    const before = (await this.runs.uploads(tx, id)).find((upload) => upload.name === name);
    if (before?.item != null) await this.vault.drop(tx, before.item);
    const keepMs = row.expiresAt.getTime() - now.getTime() + workflow.definition.timeout + SPARE_MS;
    const item = await this.vault.put(tx, {
      owner: `subject:${row.subject}`,
      purpose: UPLOAD_PURPOSE,
      plain: bytes,
      keepMs,
    });
    await this.runs.keepUpload(tx, id, { name, mediaType, bytes: bytes.length, item }, now);
    await this.auditLog.appendIn(tx, {
      ...recordOf(call, 'upload.kept', now),
      detail: { upload: name, mediaType, bytes: bytes.length, replaced: before !== undefined },
    });
    return this.starter.startIfComplete(tx, call, row, workflow);
  }
}

function refuseLate(row: VerificationEntity, now: Date): void {
  if (row.status === 'pending' && now < row.expiresAt) return;
  throw new ProblemError('conflict', {
    detail: 'This verification takes no uploads any more.',
    rule: 'upload.late',
    reason: `it is ${row.status}`,
  });
}

function accepted({ mediaTypes }: UploadDefinition, contentType: string): string {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaTypes.some((one) => one === type)) return type;
  throw new ProblemError('unsupported-media-type', {
    detail: `This upload takes ${mediaTypes.join(', ')}.`,
    rule: 'upload.type',
  });
}

function unknown(): ProblemError {
  return new ProblemError('not-found', { rule: 'upload.unknown' });
}
