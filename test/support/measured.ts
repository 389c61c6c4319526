import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes what a long check measured: generated, never typed. */
export function writeMeasured(name: string, figures: object): void {
  const dir = join(import.meta.dirname, '..', '..', 'measured');
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, `${name}.json`),
    `${JSON.stringify({ ...figures, at: new Date().toISOString() }, null, 2)}\n`,
  );
}
