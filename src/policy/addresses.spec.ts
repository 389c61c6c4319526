import { describe, expect, it } from 'vitest';
import type { Call } from '../platform/index.js';
import { AddressSet, allowedAddressCheck, deniedAddressCheck } from './addresses.js';
import { agentCheck } from './agents.js';

const from = (address: string, agent = '') => ({ address, agent }) as Call;

describe('AddressSet', () => {
  const set = new AddressSet(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32']);

  it.each(['10.1.2.3', '192.0.2.7', '2001:db8:1::1', '::ffff:10.1.9.9'])('holds %s', (address) => {
    expect(set.has(address)).toBe(true);
  });

  it.each(['10.2.0.1', '192.0.2.8', '2001:db9::1', '::ffff:10.2.0.1', 'not an address', ''])(
    'does not hold %s',
    (address) => {
      expect(set.has(address)).toBe(false);
    },
  );
});

describe('address checks', () => {
  it('let everybody through while no list is set', () => {
    expect(() => deniedAddressCheck([])(from('203.0.113.9'))).not.toThrow();
    expect(() => allowedAddressCheck([])(from('203.0.113.9'))).not.toThrow();
  });

  it('refuse what is denied and what is not allowed', () => {
    expect(() => deniedAddressCheck(['203.0.113.0/24'])(from('203.0.113.9'))).toThrow('forbidden-address');
    expect(() => allowedAddressCheck(['10.0.0.0/8'])(from('203.0.113.9'))).toThrow('forbidden-address');
    expect(() => allowedAddressCheck(['10.0.0.0/8'])(from('10.9.9.9'))).not.toThrow();
  });
});

describe('agentCheck', () => {
  it('finds denied parts in any case', () => {
    expect(() => agentCheck(['SQLMap'])(from('::1', 'Mozilla sqlmap/1.8'))).toThrow('forbidden-agent');
    expect(() => agentCheck(['sqlmap'])(from('::1', 'bank-core/2'))).not.toThrow();
  });
});
