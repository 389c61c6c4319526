import { Injectable } from '@nestjs/common';
import type { Dispatcher } from 'undici';
import type { OperationName } from './operations.js';

/** What decides whether a call goes another way. */
export interface Leaving {
  operation: OperationName;
  /** Id of the client on whose behalf it leaves; undefined for work of the gateway's own. */
  client: string | undefined;
}

/** Another way to the vendor for this call; undefined for the usual one. Must be quick and must not throw. */
export type Detour = (call: Leaving) => Dispatcher | undefined;

/**
 * Where a drill stands between the gateway and the vendor: single calls leave by a dispatcher of the drill's, all else by the usual way.
 * The dispatcher carries the same credential, so that only the gateway's own code may give one.
 */
@Injectable()
export class Detours {
  #detours: readonly Detour[] = [];

  /** @returns ends the detour */
  add(detour: Detour): () => void {
    this.#detours = [...this.#detours, detour];
    return () => {
      this.#detours = this.#detours.filter((one) => one !== detour);
    };
  }

  find(call: Leaving): Dispatcher | undefined {
    for (const detour of this.#detours) {
      const way = detour(call);
      if (way !== undefined) return way;
    }
    return undefined;
  }
}
