import { readFileSync } from 'node:fs';
import { ConfigError, readCertificates } from '../../../platform/index.js';

/** How a receiver is recognised, and how the gateway proves itself to it. Paths of PEM files. */
export interface TlsFiles {
  /** The only authority trusted for this receiver. Unset: those of the system. */
  caFile?: string | undefined;
  /** The gateway's own certificate, with `keyFile`. */
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

interface TlsParts {
  minVersion: 'TLSv1.2';
  rejectUnauthorized: true;
  ca?: string;
  cert?: string;
  key?: string;
}

/**
 * Options for a TLS connection to the receiver, 1.2 or better and always verified.
 * @throws ConfigError when a file cannot be read or holds no certificate, or one of certificate and key is missing.
 */
export function tlsParts(files: TlsFiles, name: string): TlsParts {
  if ((files.certFile === undefined) !== (files.keyFile === undefined))
    throw new ConfigError('certFile and keyFile must be given together', `SIEM receiver ${name}`);
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(files.caFile === undefined
      ? {}
      : { ca: readCertificates(files.caFile, `SIEM receiver ${name}`, 'the file that caFile names') }),
    ...(files.certFile === undefined ? {} : { cert: read(files.certFile, 'certFile', name) }),
    ...(files.keyFile === undefined ? {} : { key: read(files.keyFile, 'keyFile', name) }),
  };
}

function read(path: string, member: string, name: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new ConfigError(`the file that ${member} names cannot be read`, `SIEM receiver ${name}`);
  }
}
