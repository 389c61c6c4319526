import { getCACertificates } from 'node:tls';
import { buildConnector } from 'undici';
import { ConfigError, readCertificates } from '../../platform/index.js';

export interface ConnectorOptions {
  /** Origins of the vendor's API. */
  origins: readonly string[];
  /** Further host names that may be connected to. */
  hosts: readonly string[];
  /** PEM file of a CA trusted beside the system's. */
  caFile?: string;
  /** PEM of an authority trusted beside them. */
  authority?: string;
  /** Milliseconds for a connection with its handshake. */
  timeoutMs: number;
}

/**
 * The only way out to the vendor: TLS 1.2 or better, to the hosts that are allowed and no others (rule 6). It stands at the connection
 * and not at the address, so that no path, redirect or later feature can lead elsewhere.
 * @throws ConfigError when the base address is not https or the CA's file cannot be used.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const origins = options.origins.map((origin) => new URL(origin));
  if (origins.some(({ protocol }) => protocol !== 'https:'))
    throw new ConfigError('must be an https address', 'DIDIT_BASE_URL');
  const allowed = new Set(
    [...origins.map(({ hostname }) => hostname), ...options.hosts].map((host) => host.toLowerCase()),
  );
  const connect = buildConnector({
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    timeout: options.timeoutMs,
    ...trusted(options),
  });
  return (target, callback) => {
    if (target.protocol !== 'https:' || !allowed.has(target.hostname.toLowerCase())) {
      callback(new Error('this host is not allowed'), null);
      return;
    }
    connect(target, callback);
  };
}

function trusted({ caFile, authority }: ConnectorOptions): { ca?: string[] } {
  const further = [
    ...(caFile === undefined ? [] : [readCertificates(caFile, 'DIDIT_CA_FILE')]),
    ...(authority === undefined ? [] : [authority]),
  ];
  return further.length === 0 ? {} : { ca: [...getCACertificates('default'), ...further] };
}
