import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/index.js';

/** Some verifications of the subject that is being erased; their rows are locked. */
export interface ErasedVerifications {
  clientId: string;
  ids: readonly string[];
  idempotencyIds: readonly string[];
  /** The vendor's, of nobody else: all of it goes. */
  sessionIds: readonly string[];
  /** The vendor gave them out again when the person came back: only what was there before that instant goes. */
  sharedSessions: { ids: readonly string[]; before: Date } | undefined;
}

/** What went, in numbers: nothing in it says whose it was. */
export interface Erased {
  digestKeys: number;
  vaultItems: number;
  vaultKeys: number;
  verifications: number;
}

/** A place where something is kept of a person beside the person's own key; erasing there twice is as good as once. */
export interface ErasablePart {
  erase(tx: Tx, erased: ErasedVerifications): Promise<Partial<Erased>>;
}

/** Every such place: modules above this one add theirs before the house serves. */
@Injectable()
export class ErasableParts {
  readonly #parts: ErasablePart[] = [];

  add(part: ErasablePart): void {
    this.#parts.push(part);
  }

  all(): readonly ErasablePart[] {
    return this.#parts;
  }
}
