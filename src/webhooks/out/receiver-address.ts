import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { readCertificates } from '../../platform/index.js';
import { AddressSet } from '../../policy/index.js';

/** IPv6 that is given out at all (IANA, RFC 4291): whatever lies elsewhere is no receiver on the internet. */
const GIVEN_OUT = ipaddr.IPv6.parseCIDR('2000::/3');

/** A connection that must not come about: the receiver's address is none that this gateway may reach. */
export class AddressForbidden extends Error {
  constructor() {
    super('the address of the receiver is not public');
    this.name = 'AddressForbidden';
  }
}

/**
 * Whether an address is public by the special-purpose registries of IANA (RFC 6890). IPv4 in IPv6 form counts as what it is; forms that
 * carry an IPv4 address through a translator (6to4, Teredo, NAT64) are refused as a whole.
 */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(GIVEN_OUT);
}

/** Where receivers may be: on public addresses, and wherever the operator's list says. */
export class ReceiverAddresses {
  readonly #hosts: ReadonlySet<string>;
  readonly #networks: AddressSet;

  /** @param allow host names, addresses and networks */
  constructor(allow: readonly string[]) {
    const networks = allow.filter((one) => isIP(one.split('/')[0] ?? '') !== 0);
    this.#networks = new AddressSet(networks);
    this.#hosts = new Set(allow.filter((one) => !networks.includes(one)).map((host) => host.toLowerCase()));
  }

  /** Why a client may not have this URL as its receiver; undefined when it may. Names are looked up when a connection is made. */
  refusal(text: string): string | undefined {
    const url = URL.parse(text);
    if (url === null || url.protocol !== 'https:') return 'must be an https URL';
    if (url.username !== '' || url.password !== '') return 'must hold no credentials';
    if (url.hash !== '') return 'must hold no fragment';
    const host = hostOf(url.hostname);
    // The parser has turned odd spellings of an address (hexadecimal, octal, one number) into its own.
    if (isIP(host) !== 0 && !this.may(host, host)) return 'must be on a public address';
    return undefined;
  }

  may(hostname: string, address: string): boolean {
    if (this.#hosts.has(hostname.toLowerCase())) return true;
    return isPublicAddress(address) || this.#networks.has(address);
  }
}

export interface ConnectorOptions {
  addresses: ReceiverAddresses;
  timeoutMs: number;
  caFile: string | undefined;
  /** For specs. */
  lookup?: typeof systemLookup;
}

/**
 * The only way out to receivers. An address is judged where it is used: the connection goes to one of the very addresses that were looked
 * at, so that a name which is answered differently the next time leads nowhere (DNS rebinding).
 */
export function receiverConnector(options: ConnectorOptions): buildConnector.connector {
  const { addresses, caFile, timeoutMs, lookup = systemLookup } = options;
  const ca = caFile && [...getCACertificates('default'), readCertificates(caFile, 'webhooks.out.caFile')];
  const connect = buildConnector({
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    timeout: timeoutMs,
    lookup: guardedLookup(addresses, lookup),
    ...(ca ? { ca } : {}),
  });
  return (target, callback) => {
    const host = hostOf(target.hostname);
    // Nothing is looked up for an address.
    if (target.protocol !== 'https:' || (isIP(host) !== 0 && !addresses.may(host, host)))
      return callback(new AddressForbidden(), null);
    connect(target, callback);
  };
}

/** Looks a name up once, and gives out nothing where one of its addresses is forbidden: which one is taken is not ours to choose. */
export function guardedLookup(addresses: ReceiverAddresses, lookup: typeof systemLookup): LookupFunction {
  return (hostname: string, options: LookupOptions, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const [first] = found ?? [];
      if (error !== null || first === undefined) return callback(error ?? new AddressForbidden(), '', 0);
      if (found.some(({ address }) => !addresses.may(hostname, address)))
        return callback(new AddressForbidden(), '', 0);
      if (options.all === true) return callback(null, found);
      callback(null, first.address, first.family);
    });
  };
}

function hostOf(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}
