import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import * as x509 from '@peculiar/x509';
import { type Clock, SystemClock } from '../clock.js';
import { prepareDataDir, writeFileAtomically } from './files.js';

export interface DevelopmentCertificates {
  /** The CA's certificate: what a client must trust. */
  readonly caFile: string;
  readonly caKeyFile: string;
  /** The server's certificate and after it the CA's. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate and its key, PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** From when to when a certificate holds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const DAY_MS = 86_400_000;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const CA_LIFE_MS = 3650 * DAY_MS;
// No client of today takes a server certificate that lives longer than 398 days.
const SERVER_LIFE_MS = 365 * DAY_MS;
/** A machine of the same network may be a little behind. */
const BACKDATE_MS = 60 * 60_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * Makes a development CA in `<data>/tls` and a server certificate for localhost and the given hosts, once; renews what ends
 * within 30 days, does not fit its key, or is for other hosts. To be called by the holder of the data folder.
 * @param hosts names or addresses; those that mean "every interface" name no host and are left out
 */
export async function ensureDevelopmentCertificates(
  dataDir: string,
  hosts: readonly string[],
  clock: Clock = new SystemClock(),
): Promise<DevelopmentCertificates> {
  const folder = join(resolve(dataDir), 'tls');
  const files = {
    caFile: join(folder, 'ca.pem'),
    caKeyFile: join(folder, 'ca.key'),
    certFile: join(folder, 'server.pem'),
    keyFile: join(folder, 'server.key'),
  };
  const names = namesFor(hosts);
  await prepareDataDir(dataDir);
  await mkdir(folder, { recursive: true, mode: 0o755 });

  const knownCa = readPair(files.caFile, files.caKeyFile);
  const ca =
    knownCa && lasts(knownCa, clock) ? knownCa : await makeAuthority('Gatehouse development', valid(clock, CA_LIFE_MS));
  if (ca !== knownCa) await writePair(files.caFile, files.caKeyFile, ca);

  const known = readPair(files.certFile, files.keyFile);
  if (!known || !lasts(known, clock) || !isFor(known, names) || !isSignedBy(known, ca)) {
    const server = await makeServerCertificate(ca, names, valid(clock, SERVER_LIFE_MS));
    await writePair(files.certFile, files.keyFile, { ...server, certificate: server.certificate + ca.certificate });
  }
  return files;
}

function namesFor(hosts: readonly string[]): string[] {
  const given = hosts.map((host) => host.replace(/^\[(.*)\]$/, '$1').toLowerCase());
  const everyInterface = new Set(['', '0.0.0.0', '::']);
  return [...new Set(['localhost', '127.0.0.1', '::1', ...given])].filter((name) => !everyInterface.has(name)).sort();
}

/** The key first: a stop between the two leaves a pair that does not fit, which the next start makes anew. */
async function writePair(certificateFile: string, keyFile: string, pair: Pair): Promise<void> {
  await writeFileAtomically(keyFile, pair.key, 0o600);
  await writeFileAtomically(certificateFile, pair.certificate, 0o644);
}

function readPair(certificateFile: string, keyFile: string): Pair | undefined {
  try {
    const pair = { certificate: readFileSync(certificateFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    return new X509Certificate(pair.certificate).checkPrivateKey(createPrivateKey(pair.key)) ? pair : undefined;
  } catch {
    return undefined;
  }
}

function lasts(pair: Pair, clock: Clock): boolean {
  const { validFromDate, validToDate } = new X509Certificate(pair.certificate);
  const now = clock.epochMs();
  return validFromDate.getTime() <= now && validToDate.getTime() - now > RENEW_BEFORE_MS;
}

function isFor(pair: Pair, names: readonly string[]): boolean {
  const certificate = new x509.X509Certificate(pair.certificate);
  const alternatives = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const wanted = names.map((name) => canonical(name));
  const found = alternatives.map((alternative) => canonical(alternative.value));
  return wanted.length === found.length && wanted.every((name) => found.includes(name));
}

/** One address of IPv6 has many spellings. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name;
}

function isSignedBy(pair: Pair, ca: Pair): boolean {
  return new X509Certificate(pair.certificate).verify(new X509Certificate(ca.certificate).publicKey);
}

function valid(clock: Clock, lifeMs: number): Validity {
  const now = clock.epochMs();
  return { notBefore: new Date(now - BACKDATE_MS), notAfter: new Date(now + lifeMs) };
}

/** A certificate authority of its own. @param owner such as `Gatehouse development`: whoever meets it must see what it is */
export async function makeAuthority(owner: string, { notBefore, notAfter }: Validity): Promise<Pair> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // A name of its own for each, so that a trust store that holds several finds the right one.
    name: `CN=${owner} CA ${randomBytes(4).toString('hex')}, O=${owner}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

/** A server's certificate of that authority; it ends with the authority's own at the latest. @param names host names or addresses */
export async function makeServerCertificate(
  ca: Pair,
  names: readonly string[],
  { notBefore, notAfter }: Validity,
): Promise<Pair> {
  const keys = await generateKeys();
  const issuer = new x509.X509Certificate(ca.certificate);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost, O=Gatehouse development',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(ca.key),
    signingAlgorithm: ALGORITHM,
    notBefore,
    notAfter: new Date(Math.min(notAfter.getTime(), issuer.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function importKey(key: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(key).export({ format: 'der', type: 'pkcs8' });
  return await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trim()}\n`;
}
