import { Injectable } from '@nestjs/common';
import { Clock, Database, uuidv7 } from '../../platform/index.js';

/** How long a duty stays with an instance that was last known to do it. */
const LEASE_MS = 10_000;

/** Work that one instance does at a time: whoever takes the duty has it until it lets go, or is silent for the length of a lease. */
@Injectable()
export class Duties {
  readonly #self: string;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    this.#self = uuidv7(clock.epochMs());
  }

  /** Takes a duty, or goes on with it. @returns whether this instance has it now */
  async take(name: string): Promise<boolean> {
    const now = this.clock.epochMs();
    const rows = await this.database.query<object>(
      `INSERT INTO orchestration.duties AS d (name, holder, lease_until) VALUES ($1, $2, $3)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
        WHERE d.lease_until <= $4 OR d.holder = excluded.holder RETURNING name`,
      [name, this.#self, new Date(now + LEASE_MS), new Date(now)],
    );
    return rows.length > 0;
  }

  async letGo(name: string): Promise<void> {
    await this.database.query('UPDATE orchestration.duties SET lease_until = $3 WHERE name = $1 AND holder = $2', [
      name,
      this.#self,
      this.clock.now(),
    ]);
  }
}
