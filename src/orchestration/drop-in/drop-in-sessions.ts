import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { type Call, clientOf, Log, ProblemError } from '../../platform/index.js';
import { clientTag, namespaced } from '../../vendors/index.js';
import { CachedReads } from '../fallback/cached-reads.js';
import type { Background } from '../vendor/asker.js';
import { VerificationFollower } from '../verifications/verification-follower.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import { jsonObject, ownVendorData, refuseCallback } from './request-body.js';

/** Didit's operations on single sessions, for the client that made them. */
@Injectable()
export class DropInSessions {
  constructor(
    private readonly calls: DropInCalls,
    private readonly cached: CachedReads,
    private readonly follower: VerificationFollower,
    private readonly log: Log,
  ) {}

  /** The session is the client's before its id is told. */
  async create(call: Call, body: unknown): Promise<DropInAnswer> {
    const client = clientOf(call);
    const wanted = jsonObject(body);
    refuseCallback(wanted['callback']);
    const written = ownVendorData(wanted['vendor_data']);
    const json = { ...wanted, vendor_data: namespaced(clientTag(client.id), written, call.id) };
    const answer = await this.calls.forward(call, 'session.create', { body: { json } });
    await this.calls.claim(call, answer, 'session', 'session_id');
    return this.calls.masked(call, answer);
  }

  async decision(call: Call, id: string, query: Record<string, unknown>): Promise<DropInAnswer> {
    const sessionId = await this.calls.own(call, id);
    const { include } = query;
    return this.cached.decision(call, sessionId, typeof include === 'string' ? { include } : {});
  }

  async updateStatus(call: Call, id: string, body: unknown): Promise<DropInAnswer> {
    const sessionId = await this.calls.own(call, id);
    const json = jsonObject(body);
    const answer = await this.calls.forward(call, 'session.update-status', { params: { sessionId }, body: { json } });
    if (answer.code === undefined)
      await this.afterwards(call, (asker) => this.follower.followSession(asker, sessionId));
    return this.calls.masked(call, answer);
  }

  async delete(call: Call, id: string): Promise<DropInAnswer> {
    const sessionId = await this.calls.own(call, id);
    const answer = await this.calls.forward(call, 'session.delete', { params: { sessionId } });
    // Gone already: an earlier delete whose end was lost, or somebody at the vendor's console.
    if (answer.code === undefined || answer.status === 404)
      await this.afterwards(call, (asker) => this.follower.sessionDeleted(asker, sessionId));
    return this.calls.masked(call, answer);
  }

  /** The report as it comes, or the vendor's refusal. */
  async pdf(call: Call, id: string): Promise<DropInAnswer | { stream: Readable; headers: Record<string, string> }> {
    const sessionId = await this.calls.own(call, id);
    const answer = await this.calls.forward(call, 'session.pdf', { params: { sessionId } });
    if (answer.stream === undefined) return this.calls.masked(call, answer);
    return {
      stream: answer.stream,
      headers: {
        'content-type': 'application/pdf',
        'content-disposition': `attachment; filename=session_${sessionId}.pdf`,
      },
    };
  }

  /** The change stands at the vendor whatever becomes of this: a verification that missed it is brought up by its next look. */
  private async afterwards(call: Call, work: (asker: Background) => Promise<unknown>): Promise<void> {
    try {
      await work({ job: 'drop-in.follow', client: clientOf(call).id });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.log.warn('verifications of a changed session could not be followed', { callId: call.id, error });
    }
  }
}
