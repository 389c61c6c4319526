import { BlockList, isIP, isIPv4 } from 'node:net';
import { type Call, ProblemError } from '../platform/index.js';

/** A set of addresses and CIDR ranges, IPv4 and IPv6; an IPv4 address written in IPv6 form is the IPv4 address. */
export class AddressSet {
  readonly #list = new BlockList();
  readonly size: number;

  constructor(ranges: readonly string[]) {
    this.size = ranges.length;
    for (const range of ranges) {
      const [address = '', prefix] = range.split('/');
      const family = isIPv4(address) ? 'ipv4' : 'ipv6';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  has(address: string): boolean {
    const plain = address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
    if (isIP(plain) === 0) return false;
    return this.#list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
  }
}

/** Room 2: addresses that may never call. */
export function deniedAddressCheck(ranges: readonly string[]): (call: Call) => void {
  const denied = new AddressSet(ranges);
  return (call) => {
    if (denied.size > 0 && denied.has(call.address))
      throw new ProblemError('forbidden-address', { rule: 'address.denied' });
  };
}

/** Room 2: where there is an allow list, only its addresses may call the data routes. */
export function allowedAddressCheck(ranges: readonly string[]): (call: Call) => void {
  const allowed = new AddressSet(ranges);
  return (call) => {
    if (allowed.size > 0 && !allowed.has(call.address))
      throw new ProblemError('forbidden-address', { rule: 'address.not-allowed' });
  };
}
