import type { lookup as systemLookup, LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { AddressForbidden, guardedLookup, isPublicAddress, ReceiverAddresses } from './receiver-address.js';

/** One of each kind of the special-purpose registries of IANA, and what carries an IPv4 address inside. */
const SPECIAL = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:a00:1::',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '4000::1',
];

describe('the address of a receiver', () => {
  it.each(SPECIAL)('%s is not public', (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(['1.1.1.1', '93.184.216.34', '172.32.0.1', '::ffff:93.184.216.34', '2606:4700::1111'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  it.each(['', 'localhost', '10.0.0', 'fe80::1%eth0', '1.1.1.1/32'])('%s is no public address', (text) =>
    expect(isPublicAddress(text)).toBe(false),
  );
});

describe('the URL of a receiver', () => {
  const addresses = new ReceiverAddresses([]);
  it.each([
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[0:0:0:0:0:ffff:7f00:1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://①②⑦.⓪.⓪.①/',
  ])('%s names an address that is not public', (url) => {
    expect(addresses.refusal(url)).toBe('must be on a public address');
  });

  it('may be wherever the operator says', () => {
    const allowing = new ReceiverAddresses(['10.20.0.0/16', 'fd00::/8', 'receiver.bank.internal']);
    expect(allowing.refusal('https://10.20.3.4:8443/hooks')).toBeUndefined();
    expect(allowing.refusal('https://[fd00::1]/')).toBeUndefined();
    expect(allowing.refusal('https://10.21.0.1/')).toBe('must be on a public address');
    expect(allowing.may('receiver.bank.internal', '192.168.0.7')).toBe(true);
    expect(allowing.may('other.bank.internal', '192.168.0.7')).toBe(false);
  });
});

describe('looking a receiver up', () => {
  /** A name server that answers differently each time, as one of an attacker does. */
  const server = (...answers: string[][]): { lookup: typeof systemLookup; asked: () => number } => {
    let asked = 0;
    const lookup = (_: string, __: object, done: (error: Error | null, found: LookupAddress[]) => void): void => {
      const found = answers[Math.min(asked, answers.length - 1)] ?? [];
      asked += 1;
      done(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    };
    return { lookup: lookup as unknown as typeof systemLookup, asked: () => asked };
  };
  const found = (lookup: typeof systemLookup, all: boolean): Promise<unknown> =>
    new Promise((resolve, reject) => {
      guardedLookup(new ReceiverAddresses([]), lookup)('receiver.example', { all }, (error, address) =>
        error === null ? resolve(address) : reject(error),
      );
    });

  it('gives out the very address that it has judged, asking once', async () => {
    const { lookup, asked } = server(['93.184.216.34'], ['127.0.0.1']);
    expect(await found(lookup, false)).toBe('93.184.216.34');
    expect(asked()).toBe(1);
    await expect(found(lookup, false)).rejects.toBeInstanceOf(AddressForbidden);
  });

  it.each([[['127.0.0.1']], [['93.184.216.34', '10.0.0.1']], [['93.184.216.34', '::ffff:10.0.0.1']], [[]]])(
    'gives out none of %j',
    async (addresses) => {
      await expect(found(server(addresses).lookup, true)).rejects.toBeInstanceOf(AddressForbidden);
    },
  );
});
