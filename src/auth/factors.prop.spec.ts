import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { intersection } from './factors.js';
import { CLIENT_SCOPES } from './scopes.js';

const rights = fc.subarray([...CLIENT_SCOPES]).map((scopes) => new Set<string>(scopes));

describe('the right of a call', () => {
  it.prop([rights, rights, rights])(
    'is in every credential, and all that is in every credential',
    (client, key, token) => {
      const right = intersection(client, key, token);
      for (const scope of CLIENT_SCOPES) {
        expect(right.has(scope)).toBe(client.has(scope) && key.has(scope) && token.has(scope));
      }
    },
  );

  it.prop([rights, rights])('never grows with another credential', (client, key) => {
    expect([...intersection(client, key)].filter((scope) => !client.has(scope))).toEqual([]);
  });
});
