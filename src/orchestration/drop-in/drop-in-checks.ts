import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { type Call, clientOf, Keyring, ProblemError } from '../../platform/index.js';
import { clientTag, namespaced, type OperationName, OPERATIONS, type VendorRequest } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import type { DroppedIn } from './dropped-in.js';
import { reencode } from './form.js';
import { jsonObject, ownWords } from './request-body.js';

export type FormCheck =
  | 'id-verification'
  | 'passive-liveness'
  | 'face-match'
  | 'age-estimation'
  | 'face-search'
  | 'poa'
  | 'document-ai'
  | 'database-validation';

/** Didit's checks without a session. A saved one is a session from then on, and its client's own. */
@Injectable()
export class DropInChecks {
  constructor(
    private readonly calls: DropInCalls,
    private readonly keyring: Keyring,
  ) {}

  /** Pictures pass through as they come: the form is written anew for its own fields alone. */
  async form(operation: FormCheck, { call, body, contentType }: DroppedIn): Promise<DropInAnswer> {
    if (!(body instanceof Readable) || contentType === undefined)
      throw new ProblemError('unsupported-media-type', { rule: 'form.type' });
    const tag = clientTag(clientOf(call).id);
    const form = reencode(body, contentType, {
      maxBytes: OPERATIONS[operation].maxUploadBytes,
      change: new Map([['vendor_data', (written: string) => namespaced(tag, written, call.id)]]),
      count: (bytes) => (call.bytesIn += bytes),
    });
    return this.checked(call, operation, { body: { stream: form.stream, contentType: form.contentType } });
  }

  /** The client's Idempotency-Key, which Didit honours here, is made its own: all clients are one to Didit. */
  async aml({ call, body, idempotencyKey: key }: DroppedIn): Promise<DropInAnswer> {
    return this.checked(call, 'aml', {
      body: { json: ownWords(call, jsonObject(body)) },
      ...(key === undefined
        ? {}
        : { headers: { 'idempotency-key': this.keyring.pseudonym('idempotency', clientOf(call).id, key) } }),
    });
  }

  /** A form where a picture of the face goes with it. */
  async databaseValidation(request: DroppedIn): Promise<DropInAnswer> {
    if (request.body instanceof Readable) return this.form('database-validation', request);
    const { call, body } = request;
    return this.checked(call, 'database-validation', { body: { json: ownWords(call, jsonObject(body)) } });
  }

  /** Didit keeps nothing of it that anybody could ask for. */
  async walletScreening({ call, body }: DroppedIn): Promise<DropInAnswer> {
    const json = jsonObject(body);
    return this.calls.masked(call, await this.calls.forward(call, 'wallet-screening', { body: { json } }));
  }

  private async checked(call: Call, operation: OperationName, request: VendorRequest): Promise<DropInAnswer> {
    const answer = await this.calls.forward(call, operation, request);
    await this.calls.claim(call, answer, 'session', 'request_id');
    return this.calls.masked(call, answer);
  }
}
