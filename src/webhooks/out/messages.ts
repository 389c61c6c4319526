import { Injectable } from '@nestjs/common';
import { ClientDirectory } from '../../auth/index.js';
import { VerificationSnapshots } from '../../orchestration/index.js';
import type { Claimed } from './delivery-book.js';

/** What receivers read: made for each attempt, so that nothing of a person is kept for it and an erased one is told of no more. */
@Injectable()
export class Messages {
  constructor(
    private readonly clients: ClientDirectory,
    private readonly snapshots: VerificationSnapshots,
  ) {}

  /** JSON. Thin: which verification it is about. Full: what happened, and the verification as its client may read it now. */
  async of(delivery: Claimed): Promise<string> {
    const { at, type, payload, verificationId, facts } = delivery;
    const about = verificationId === null ? {} : { id: verificationId };
    const data = payload === 'thin' ? about : { ...about, ...facts, ...(await this.verification(delivery)) };
    return JSON.stringify({ type, timestamp: at.toISOString(), data });
  }

  private async verification({ clientId, verificationId }: Claimed): Promise<object> {
    if (clientId === null || verificationId === null) return {};
    const client = await this.clients.find(clientId);
    const caller = client && ({ kind: 'client', id: client.id, name: client.name, scopes: client.scopes } as const);
    const seen = caller?.scopes.has('verifications:read') === true;
    return { verification: (seen && (await this.snapshots.of(caller, verificationId))) || null };
  }
}
