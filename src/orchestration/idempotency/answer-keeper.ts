import { Injectable } from '@nestjs/common';
import { type Answer, Clock, Database, type Tx, Vault } from '../../platform/index.js';
import { decodeAnswer, encodeAnswer, type StoredAnswer } from './stored-answer.js';

const PURPOSE = 'idempotent-answer';

/** Stored idempotent answers, sealed under the key of the client they were given to (rule 4). */
@Injectable()
export class AnswerKeeper {
  constructor(
    private readonly vault: Vault,
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** @returns the id to get it by until then. */
  async put(tx: Tx, clientId: string, answer: Answer, until: Date): Promise<string> {
    return this.vault.put(tx, {
      owner: `client:${clientId}`,
      purpose: PURPOSE,
      plain: encodeAnswer(answer),
      keepMs: until.getTime() - this.clock.epochMs(),
    });
  }

  /** Undefined once the client's key was erased. */
  async get(id: string): Promise<StoredAnswer | undefined> {
    const plain = await this.vault.get(this.database.source.manager, id, PURPOSE);
    return plain && decodeAnswer(plain);
  }
}
