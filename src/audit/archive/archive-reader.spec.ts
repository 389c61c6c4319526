import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readArchive } from './archive-reader.js';
import { BadArchive } from './errors.js';

it('an archive of which a file cannot be read is not a good one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-archive-'));
  try {
    mkdirSync(join(dir, 'manifest.json'));
    await expect(readArchive(dir)).rejects.toThrow(BadArchive);
    await expect(readArchive(dir)).rejects.toThrow('manifest.json cannot be read (EISDIR)');
  } finally {
    rmSync(dir, { recursive: true });
  }
});
