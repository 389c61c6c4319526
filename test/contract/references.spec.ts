import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationReference, problemsReference, stateMachinesReference } from '../../src/cli/references.js';

const docs = join(import.meta.dirname, '..', '..', 'docs');

describe('the generated references are those of this code (npm run gatehouse -- references docs)', () => {
  it('configuration.md', () => {
    expect(readFileSync(join(docs, 'configuration.md'), 'utf8')).toBe(configurationReference());
  });

  it('problems.md', () => {
    expect(readFileSync(join(docs, 'problems.md'), 'utf8')).toBe(problemsReference());
  });

  it('state-machines.md', () => {
    expect(readFileSync(join(docs, 'state-machines.md'), 'utf8')).toBe(stateMachinesReference());
  });
});
