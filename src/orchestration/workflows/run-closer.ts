import { Injectable } from '@nestjs/common';
import { type Tx, Vault } from '../../platform/index.js';
import type { Asker } from '../vendor/asker.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { RunStore, type StepRow } from './run-store.js';
import { StepProgress } from './step-progress.js';
import { isEnded } from './step-states.js';

/** Ends runs: nothing more is sent, and nothing of what was uploaded stays. */
@Injectable()
export class RunCloser {
  constructor(
    private readonly store: RunStore,
    private readonly steps: StepProgress,
    private readonly vault: Vault,
  ) {}

  /** A run that was called off, whatever of it was under way. @returns its steps, and how many items of the vault went */
  async stop(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    reason: string,
  ): Promise<{ steps: StepRow[]; vaultItems: number }> {
    const steps: StepRow[] = [];
    for (const step of await this.store.steps(tx, row.id))
      steps.push(isEnded(step.state) ? step : await this.steps.happen(tx, asker, row, step, 'stopped', { reason }));
    return { steps, vaultItems: await this.close(tx, row.id) };
  }

  /** @returns how many items of the vault went */
  async close(tx: Tx, id: string): Promise<number> {
    const uploads = await this.store.uploads(tx, id);
    await this.spend(
      tx,
      id,
      uploads.map(({ name }) => name),
    );
    const items = uploads.flatMap(({ item }) => item ?? []);
    const results = await this.store.forgetResults(tx, id);
    await this.store.close(tx, id);
    return items.length + (await this.vault.dropAll(tx, results));
  }

  /** The bytes go; that there was such an upload stays known. */
  async spend(tx: Tx, id: string, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const items = (await this.store.uploads(tx, id)).flatMap(({ name, item }) =>
      item !== null && names.includes(name) ? item : [],
    );
    if (items.length === 0) return;
    await this.vault.dropAll(tx, items);
    await this.store.spendUploads(tx, id, names);
  }
}
