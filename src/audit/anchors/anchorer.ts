import { hash } from 'node:crypto';
import { type Counter, metrics } from '@opentelemetry/api';
import { type Clock, type Log, uuidv7 } from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import type { AnchorStore } from './anchor-store.js';
import type { Authority } from './authority.js';

export interface AnchorerParts {
  store: Pick<AnchorStore, 'lock' | 'unlock' | 'due' | 'keep'>;
  authority: Pick<Authority, 'stamp'>;
  auditLog: Pick<AuditLog, 'entry'>;
  clock: Clock;
  everyMs: number;
  log: Pick<Log, 'warn' | 'info'>;
}

const FIRST_PAUSE_MS = 30_000;

/**
 * Has the last checkpoint stamped, as often as it is set and the log has grown: what the log held then cannot be made up afterwards, not
 * even by who holds its key. One instance asks at a time; an authority that fails hinders nothing and is asked again.
 */
export class Anchorer {
  readonly #anchored: Counter;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(private readonly parts: AnchorerParts) {
    this.#anchored = metrics.getMeter('gatehouse').createCounter('gatehouse.audit.anchors', {
      description: 'Time stamps of checkpoints that were asked for, by their outcome.',
    });
  }

  /** @returns whether a checkpoint was stamped. @throws the driver's error */
  async round(): Promise<boolean> {
    const { store } = this.parts;
    if (this.nowMs() < this.#notBeforeMs || !(await store.lock())) return false;
    try {
      const due = await store.due(this.parts.everyMs);
      return due !== undefined && (await this.anchor(due));
    } finally {
      // A session that was lost has let go of it by itself.
      await store.unlock().catch(() => undefined);
    }
  }

  private async anchor({ size, note }: { size: number; note: string }): Promise<boolean> {
    const { store, auditLog, authority, clock, log } = this.parts;
    const stamp = await authority.stamp(note).catch((error: unknown) => this.failed(error));
    if (stamp === undefined) return false;
    const now = clock.now();
    const record = auditLog.entry({
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: 'log.anchored',
      detail: {
        size,
        authority: stamp.authority,
        genTime: stamp.genTime.toISOString(),
        token: hash('sha256', stamp.token, 'hex'),
      },
    });
    const kept = await store.keep(size, stamp, record);
    if (this.#failures > 0) log.info('checkpoints are stamped again');
    this.#failures = 0;
    this.#anchored.add(1, { outcome: 'stamped' });
    return kept;
  }

  private failed(error: unknown): undefined {
    const { everyMs, log } = this.parts;
    this.#failures += 1;
    this.#notBeforeMs = this.nowMs() + Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), everyMs);
    this.#anchored.add(1, { outcome: 'failed' });
    if (this.#failures === 1) log.warn('no time stamp could be had of the authority', { error });
  }

  private nowMs(): number {
    return Number(this.parts.clock.monotonic() / 1_000_000n);
  }
}
