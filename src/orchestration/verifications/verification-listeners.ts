import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/index.js';
import type { Status } from './transitions.js';
import type { VerificationEntity } from './verification.entity.js';

/** A verification whose status has changed; nothing in it is personal. */
export interface Moved {
  at: Date;
  verification: string;
  client: string;
  from: Status;
  to: Status;
  rung: VerificationEntity['rung'];
}

export interface VerificationListener {
  /** In the transaction of the change: what is written here is as durable as the change itself. */
  moved(tx: Tx, moved: Moved): Promise<void>;
}

/** Whoever wants to hear of it: modules above this one add themselves before the house serves. */
@Injectable()
export class VerificationListeners {
  readonly #listeners: VerificationListener[] = [];

  add(listener: VerificationListener): void {
    this.#listeners.push(listener);
  }

  async tell(tx: Tx, moved: Moved): Promise<void> {
    for (const listener of this.#listeners) await listener.moved(tx, moved);
  }
}
