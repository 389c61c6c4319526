import { hash, X509Certificate } from 'node:crypto';
import type { ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import { Certificate, ContentInfo, ExtKeyUsage, SignedData, TSTInfo } from 'pkijs';

/** What a good token says. */
export interface Anchored {
  genTime: Date;
  /** Subject of the certificate that signed. */
  authority: string;
}

/** Object identifiers of RFC 3161, RFC 5652, RFC 5816 and RFC 5280. */
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const SHA_256 = '2.16.840.1.101.3.4.2.1';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** ESSCertID with SHA-1, and ESSCertIDv2 with SHA-256 where it names none. */
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
const HASHES: Record<string, string> = {
  [SHA_256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * That this authority saw this checkpoint at that time: the token is about the note's bytes, signed by a certificate for time stamping
 * alone, which chained to one of the roots at that time. Whether it was revoked since is not asked.
 * @param note the signed checkpoint
 * @param token DER of a TimeStampToken (RFC 3161 section 2.4.2)
 * @param roots PEM of the certificates that are trusted
 * @throws TypeError in one sentence, when anything of it does not hold
 */
export async function verifyAnchor(note: string, token: Buffer, roots: string): Promise<Anchored> {
  const { signed, info } = readToken(token);
  const data = Buffer.from(note);
  const { hashAlgorithm, hashedMessage } = info.messageImprint;
  if (
    hashAlgorithm.algorithmId !== SHA_256 ||
    !hash('sha256', data, 'buffer').equals(Buffer.from(hashedMessage.valueBlock.valueHexView))
  )
    throw new TypeError('the time stamp is of something else');
  const signer = await signerOf(signed, data, trusted(roots));
  mayStamp(signer);
  namesSigner(signed, signer);
  const { subject } = new X509Certificate(derOf(signer));
  return { genTime: info.genTime, authority: subject.replaceAll('\n', ', ').slice(0, 512) };
}

/** The token and what was signed. @throws TypeError */
export function readToken(token: Buffer): { signed: SignedData; info: TSTInfo } {
  try {
    const content = ContentInfo.fromBER(arrayBuffer(token));
    if (content.contentType !== SIGNED_DATA) throw new TypeError('no signed data');
    const signed = new SignedData({ schema: content.content as Sequence });
    const { eContent, eContentType } = signed.encapContentInfo;
    if (eContentType !== TST_INFO || eContent === undefined || signed.signerInfos.length !== 1)
      throw new TypeError('no TSTInfo of one signer');
    return { signed, info: TSTInfo.fromBER(eContent.getValue()) };
  } catch (error) {
    throw new TypeError('this is no time-stamp token', { cause: error });
  }
}

async function signerOf(signed: SignedData, data: Buffer, trustedCerts: Certificate[]): Promise<Certificate> {
  try {
    // The chain is checked for the time of the stamp, which pkijs takes from the TSTInfo.
    const result = await signed.verify({
      signer: 0,
      data: arrayBuffer(data),
      trustedCerts,
      checkChain: true,
      passedWhenNotRevValues: true,
      extendedMode: true,
    });
    if (result.signatureVerified === true && result.signerCertificate) return result.signerCertificate;
  } catch (error) {
    const untrusted = (error as { signerCertificateVerified?: unknown }).signerCertificateVerified === false;
    const reason = untrusted
      ? 'the certificate of the time stamp does not chain to a trusted root'
      : 'the signature of the time stamp is not good';
    throw new TypeError(reason, { cause: error });
  }
  throw new TypeError('the signature of the time stamp is not good');
}

/** Exactly one purpose, and marked critical (RFC 3161 section 2.3). */
function mayStamp(signer: Certificate): void {
  const extension = signer.extensions?.find(({ extnID }) => extnID === EXTENDED_KEY_USAGE);
  const usage = extension?.parsedValue as unknown;
  const purposes = usage instanceof ExtKeyUsage ? usage.keyPurposes : [];
  if (extension?.critical !== true || purposes.length !== 1 || purposes[0] !== TIME_STAMPING)
    throw new TypeError('the certificate of the time stamp is not for time stamping alone');
}

/** The signature names its certificate, so that no other one of the same key can take its place (RFC 3161 section 2.4.2, RFC 5816). */
function namesSigner(signed: SignedData, signer: Certificate): void {
  const attributes = signed.signerInfos[0]?.signedAttrs?.attributes ?? [];
  const named = attributes.some(({ type, values }) => {
    if (type !== SIGNING_CERTIFICATE && type !== SIGNING_CERTIFICATE_V2) return false;
    // SigningCertificate ::= SEQUENCE { certs SEQUENCE OF SEQUENCE { [AlgorithmIdentifier,] certHash, … }, … }
    const [certs] = (values[0] as Sequence).valueBlock.value as Sequence[];
    const [first, second] = (certs?.valueBlock.value[0] as Sequence | undefined)?.valueBlock.value ?? [];
    const explicit = first?.idBlock.tagNumber === 16;
    const algorithm = explicit ? ((first as Sequence).valueBlock.value[0] as ObjectIdentifier).getValue() : SHA_256;
    const name = type === SIGNING_CERTIFICATE ? 'sha1' : HASHES[algorithm];
    const certHash = (explicit ? second : first) as OctetString | undefined;
    return (
      name !== undefined &&
      certHash !== undefined &&
      hash(name, derOf(signer), 'buffer').equals(Buffer.from(certHash.valueBlock.valueHexView))
    );
  });
  if (!named) throw new TypeError('the time stamp does not name the certificate that signed it');
}

function trusted(pem: string): Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new TypeError('there is no certificate among the trusted roots');
  return blocks.map((block) => Certificate.fromBER(arrayBuffer(new X509Certificate(block).raw)));
}

function derOf(certificate: Certificate): Buffer {
  return Buffer.from(certificate.toSchema(false).toBER(false));
}

/** pkijs takes no views of a larger buffer. */
export function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
