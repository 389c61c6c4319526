import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../config/load.js';

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * A PEM file of certificates that are trusted. Node.js takes a file without any for one that trusts nobody, and every connection would fail
 * later for a reason that names no setting.
 * @param what begins the sentence, such as `the file it names`
 * @throws ConfigError when the file cannot be read, or holds no certificate or a broken one
 */
export function readCertificates(file: string, setting: string, what = 'the file it names'): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch {
    throw new ConfigError(`${what} cannot be read`, setting);
  }
  const blocks = pem.match(CERTIFICATES) ?? [];
  if (blocks.length === 0) throw new ConfigError(`${what} holds no certificate (PEM)`, setting);
  try {
    for (const block of blocks) void new X509Certificate(block);
  } catch {
    throw new ConfigError(`${what} holds a certificate that cannot be read`, setting);
  }
  return pem;
}
