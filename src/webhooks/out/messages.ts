import { Injectable } from '@nestjs/common';
import { ClientDirectory, type ClientStanding } from '../../auth/index.js';
import { VerificationSnapshots } from '../../orchestration/index.js';
import type { Claimed } from './delivery-book.js';

/** What receivers read: made for each attempt, so that nothing of a person is kept for it and an erased one is told of no more. */
@Injectable()
export class Messages {
  constructor(
    private readonly clients: ClientDirectory,
    private readonly snapshots: VerificationSnapshots,
  ) {}

  /**
   * JSON. Thin: which verification it is about. Full: what happened, and the verification as its client may read it now.
   * @returns undefined while its client may not call, and so may not be told either
   */
  async of(delivery: Claimed): Promise<string | undefined> {
    const { at, type, payload, clientId, verificationId, facts } = delivery;
    const client = clientId === null ? undefined : await this.clients.find(clientId);
    if (clientId !== null && client?.state !== 'active') return undefined;
    const about = verificationId === null ? {} : { id: verificationId };
    const data =
      payload === 'thin' ? about : { ...about, ...facts, ...(await this.verification(client, verificationId)) };
    return JSON.stringify({ type, timestamp: at.toISOString(), data });
  }

  private async verification(client: ClientStanding | undefined, id: string | null): Promise<object> {
    if (client === undefined || id === null) return {};
    const { name, scopes } = client;
    const seen = scopes.has('verifications:read');
    return {
      verification: (seen && (await this.snapshots.of({ kind: 'client', id: client.id, name, scopes }, id))) || null,
    };
  }
}
