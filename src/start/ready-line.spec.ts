import { expect, it } from 'vitest';
import { firstCall } from './ready-line.js';

it('speaks of a sandbox only where there is one', () => {
  expect(firstCall('credentials.json', true)).toContain('with a Didit sandbox behind it');
  expect(firstCall('credentials.json', false)).not.toContain('sandbox');
});
