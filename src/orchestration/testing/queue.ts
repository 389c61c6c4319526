import { Clock, CONFIG, type Config, Database, Log } from '../../platform/index.js';
import { Duties } from '../fallback/duties.js';
import { FallbackMetrics } from '../fallback/fallback-metrics.js';
import { FallbackLadder } from '../fallback/ladder.js';
import { QueueBook } from '../fallback/queue-book.js';
import { QueueRounds } from '../fallback/queue-rounds.js';
import { QueueSender } from '../fallback/queue-sender.js';
import { VerificationStore } from '../verifications/verification-store.js';
import type { SpecHouse } from './spec-house.js';

/** What sends the queue in one instance, with a duty of its own; the house's own is held still. */
export async function queueInstance(house: SpecHouse): Promise<QueueRounds> {
  const get = <T>(token: abstract new (...args: never[]) => T): T => house.get(token, { strict: false });
  await get(QueueRounds).onApplicationShutdown();
  const duties = new Duties(get(Database), get(Clock));
  const config = house.get<Config>(CONFIG, { strict: false });
  return new QueueRounds(
    duties,
    get(QueueBook),
    get(QueueSender),
    get(FallbackLadder),
    get(VerificationStore),
    get(FallbackMetrics),
    get(Clock),
    get(Log),
    config,
  );
}

/** Ids of the queue, in order. */
export async function waiting(house: SpecHouse): Promise<string[]> {
  const rows = await house.database.query<{ id: string }>(
    'SELECT verification_id AS id FROM orchestration.queued_creates ORDER BY verification_id',
  );
  return rows.map(({ id }) => id);
}
