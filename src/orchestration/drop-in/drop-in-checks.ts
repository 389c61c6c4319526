import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { type Call, clientOf, Keyring, ProblemError } from '../../platform/index.js';
import { clientTag, namespaced, OPERATIONS } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import { DropInSessions } from './drop-in-sessions.js';
import { reencode } from './form.js';
import { jsonObject, ownVendorData } from './request-body.js';

export type FormCheck = 'id-verification' | 'passive-liveness' | 'face-match';

/** Didit's standalone checks. A saved one is a session from then on, and its client's own. */
@Injectable()
export class DropInChecks {
  constructor(
    private readonly calls: DropInCalls,
    private readonly sessions: DropInSessions,
    private readonly keyring: Keyring,
  ) {}

  /** Pictures pass through as they come: the form is written anew for its own fields alone. */
  async form(call: Call, operation: FormCheck, body: unknown, contentType: string | undefined): Promise<DropInAnswer> {
    if (!(body instanceof Readable) || contentType === undefined)
      throw new ProblemError('unsupported-media-type', { rule: 'form.type' });
    const tag = clientTag(clientOf(call).id);
    const form = reencode(body, contentType, {
      maxBytes: OPERATIONS[operation].maxUploadBytes,
      change: new Map([['vendor_data', (written: string) => namespaced(tag, written, call.id)]]),
      count: (bytes) => (call.bytesIn += bytes),
    });
    const answer = await this.calls.forward(call, operation, {
      body: { stream: form.stream, contentType: form.contentType },
    });
    await this.sessions.claim(call, answer, 'request_id');
    return this.calls.masked(call, answer);
  }

  /** @param key the client's Idempotency-Key, which Didit honours here: made its own, since all clients are one to Didit */
  async aml(call: Call, body: unknown, key: string | undefined): Promise<DropInAnswer> {
    const client = clientOf(call);
    const wanted = jsonObject(body);
    const written = ownVendorData(wanted['vendor_data']);
    const json =
      written === undefined ? wanted : { ...wanted, vendor_data: namespaced(clientTag(client.id), written, call.id) };
    const answer = await this.calls.forward(call, 'aml', {
      body: { json },
      ...(key === undefined
        ? {}
        : { headers: { 'idempotency-key': this.keyring.pseudonym('idempotency', client.id, key) } }),
    });
    await this.sessions.claim(call, answer, 'request_id');
    return this.calls.masked(call, answer);
  }
}
