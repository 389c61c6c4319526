import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import { buildConnector } from 'undici';
import { ConfigError } from '../../platform/index.js';

export interface ConnectorOptions {
  /** Origin of the vendor's API. */
  baseUrl: string;
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
 * @throws ConfigError when the base address is not https or the CA's file cannot be read.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const base = new URL(options.baseUrl);
  if (base.protocol !== 'https:') throw new ConfigError('must be an https address', 'DIDIT_BASE_URL');
  const allowed = new Set([base.hostname, ...options.hosts].map((host) => host.toLowerCase()));
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
    ...(caFile === undefined ? [] : [certificateAuthority(caFile)]),
    ...(authority === undefined ? [] : [authority]),
  ];
  return further.length === 0 ? {} : { ca: [...getCACertificates('default'), ...further] };
}

function certificateAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new ConfigError('the file it names cannot be read', 'DIDIT_CA_FILE');
  }
}
