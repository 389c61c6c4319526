import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ConfigError } from '../platform/index.js';
import { replayErasuresVerb } from './replay-erasures.js';

it.each([
  ['a folder', tmpdir()],
  ['nothing', join(tmpdir(), 'gatehouse-no-such-journal')],
])('names the option when the journal is %s', async (_what, journal) => {
  await expect(replayErasuresVerb({ journal })).rejects.toThrow(ConfigError);
});
