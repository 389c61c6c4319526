import type { Provider } from '@nestjs/common';
import { CachedReads } from './cached-reads.js';
import { Duties } from './duties.js';
import { FallbackMetrics } from './fallback-metrics.js';
import { FallbackLadder } from './ladder.js';
import { QueueBook } from './queue-book.js';
import { QueueRounds } from './queue-rounds.js';
import { QueueSender } from './queue-sender.js';
import { Reviews } from './reviews.js';

export const fallbackProviders: Provider[] = [
  CachedReads,
  Duties,
  FallbackLadder,
  FallbackMetrics,
  QueueBook,
  QueueRounds,
  QueueSender,
  Reviews,
];
