import { Injectable } from '@nestjs/common';
import { Clock, Database, Keyring, ProblemError } from '../../platform/index.js';

export type CodeChannel = 'phone' | 'email';

const VENDOR = 'didit';
/** Twice the five minutes for which Didit keeps a code, so that none outlives its owner here, whatever the clocks say. */
const HELD_MS = 10 * 60_000;
const MOST_SWEPT = 1_000;

/**
 * Rule 2 for one-time codes: Didit keeps them by number or address and not by client, so that whoever asks for one there first has it alone
 * until it is used up or over.
 */
@Injectable()
export class OneTimeCodes {
  constructor(
    private readonly database: Database,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {}

  /**
   * Makes the client the one who awaits a code there. @returns whether it was not so before
   * @throws ProblemError `conflict` with `Retry-After` while another client awaits one.
   */
  async begin(clientId: string, channel: CodeChannel, address: string): Promise<boolean> {
    const now = this.clock.now();
    const key = [VENDOR, channel, this.pseudonym(channel, address)];
    const rows = await this.database.query<{ fresh: boolean }>(
      `INSERT INTO orchestration.one_time_codes AS held (vendor, channel, address, client_id, expires_at)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT ON CONSTRAINT one_time_codes_pkey DO UPDATE SET client_id = $4, expires_at = $5
        WHERE held.client_id = $4 OR held.expires_at <= $6
       RETURNING (xmax = 0) AS fresh`,
      [...key, clientId, new Date(now.getTime() + HELD_MS), now],
    );
    const [row] = rows;
    if (row !== undefined) return row.fresh;
    throw new ProblemError('conflict', {
      detail: 'A code is awaited there already. Try again when it is over.',
      headers: { 'retry-after': String(HELD_MS / 1_000) },
      rule: 'ownership.code-taken',
    });
  }

  /** @throws ProblemError `not-found` while another client awaits a code there. Where nobody does, Didit knows of none either. */
  async check(clientId: string, channel: CodeChannel, address: string): Promise<void> {
    const [row] = await this.database.query<{ client_id: string }>(
      `SELECT client_id FROM orchestration.one_time_codes
        WHERE vendor = $1 AND channel = $2 AND address = $3 AND expires_at > $4`,
      [VENDOR, channel, this.pseudonym(channel, address), this.clock.now()],
    );
    if (row !== undefined && row.client_id !== clientId)
      throw new ProblemError('not-found', { rule: 'ownership.foreign', reason: 'another client awaits a code there' });
  }

  /** The code is used up, or none was sent. */
  async end(clientId: string, channel: CodeChannel, address: string): Promise<void> {
    await this.database.query(
      'DELETE FROM orchestration.one_time_codes WHERE vendor = $1 AND channel = $2 AND address = $3 AND client_id = $4',
      [VENDOR, channel, this.pseudonym(channel, address), clientId],
    );
  }

  /** Removes what is over; a bounded number at once. */
  async sweep(now: Date): Promise<void> {
    await this.database.query(
      `DELETE FROM orchestration.one_time_codes WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM orchestration.one_time_codes WHERE expires_at <= $1 LIMIT $2))`,
      [now, MOST_SWEPT],
    );
  }

  /** However it is written, a number is its digits, and an address its letters without their case. */
  private pseudonym(channel: CodeChannel, address: string): string {
    const plain = channel === 'phone' ? address.replace(/\D/g, '') : address.trim().normalize('NFKC').toLowerCase();
    return this.keyring.pseudonym('one-time-code', channel, plain);
  }
}
