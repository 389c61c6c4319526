import { hash, webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as x509 from '@peculiar/x509';
import { Integer, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import * as pkijs from 'pkijs';
import { arrayBuffer } from '../../src/audit/anchors/verify-anchor.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const DAY_MS = 86_400_000;

interface Signer {
  certificate: x509.X509Certificate;
  keys: webcrypto.CryptoKeyPair;
}

/** A time-stamping authority of a spec, with a CA of its own. */
export interface Tsa {
  url: string;
  /** PEM */
  roots: string;
  /** How its next answers are not what they should be. */
  behave: TsaBehaviour;
  asked: number;
  stop(): Promise<void>;
}

export interface TsaBehaviour {
  status?: number;
  rejects?: boolean;
  garbage?: boolean;
  imprint?: Buffer;
  nonce?: number | 'none';
  policy?: string;
  genTime?: Date;
  /** A bit of the signature is turned. */
  spoilt?: boolean;
  certificate?: 'expired' | 'without-purpose' | 'not-critical';
  /** The signature names another certificate. */
  misnamed?: boolean;
  waitFor?: Promise<void>;
}

export async function startTsa(): Promise<Tsa> {
  const ca = await issue('CN=Spec Root', undefined, [
    new x509.BasicConstraintsExtension(true, 1, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ]);
  const purpose = (critical: boolean) => new x509.ExtendedKeyUsageExtension([TIME_STAMPING], critical);
  const signers = {
    good: await issue('CN=Spec TSA, O=Spec', ca, [purpose(true)]),
    expired: await issue('CN=Spec TSA', ca, [purpose(true)], -DAY_MS),
    'without-purpose': await issue('CN=Spec TSA', ca, []),
    'not-critical': await issue('CN=Spec TSA', ca, [purpose(false)]),
  };
  const server = createServer((incoming, answer) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      tsa.asked += 1;
      void reply(Buffer.concat(parts), signers[tsa.behave.certificate ?? 'good'], ca, tsa.behave).then((body) =>
        answer.writeHead(tsa.behave.status ?? 200, { 'content-type': 'application/timestamp-reply' }).end(body),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tsa: Tsa = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    roots: ca.certificate.toString('pem'),
    behave: {},
    asked: 0,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return tsa;
}

async function issue(
  subject: string,
  issuer: Signer | undefined,
  extensions: x509.Extension[],
  endsInMs = DAY_MS,
): Promise<Signer> {
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 3 * DAY_MS),
    notAfter: new Date(Date.now() + endsInMs),
    extensions,
  });
  return { certificate, keys };
}

async function reply(query: Buffer, signer: Signer, ca: Signer, behave: TsaBehaviour): Promise<Buffer> {
  await behave.waitFor;
  if (behave.garbage === true) return Buffer.from('no DER at all');
  if (behave.rejects === true) {
    const status = new pkijs.PKIStatusInfo({ status: pkijs.PKIStatus.rejection });
    return Buffer.from(new pkijs.TimeStampResp({ status }).toSchema().toBER(false));
  }
  const { messageImprint, nonce } = pkijs.TimeStampReq.fromBER(arrayBuffer(query));
  if (behave.imprint) messageImprint.hashedMessage = new OctetString({ valueHex: arrayBuffer(behave.imprint) });
  const answered = typeof behave.nonce === 'number' ? new Integer({ value: behave.nonce }) : nonce;
  const info = new pkijs.TSTInfo({
    version: 1,
    policy: behave.policy ?? '1.2.3.4.1',
    messageImprint,
    serialNumber: new Integer({ value: 7 }),
    genTime: behave.genTime ?? new Date(),
    ...(answered === undefined || behave.nonce === 'none' ? {} : { nonce: answered }),
  });
  const token = await signed(Buffer.from(info.toSchema().toBER(false)), signer, ca, behave);
  const status = new pkijs.PKIStatusInfo({ status: pkijs.PKIStatus.granted });
  const timeStampToken = new pkijs.ContentInfo({ contentType: pkijs.id_ContentType_SignedData, content: token });
  return Buffer.from(new pkijs.TimeStampResp({ status, timeStampToken }).toSchema().toBER(false));
}

async function signed(content: Buffer, signer: Signer, ca: Signer, behave: TsaBehaviour): Promise<Sequence> {
  const certificate = pkijs.Certificate.fromBER(signer.certificate.rawData);
  const named = behave.misnamed === true ? ca : signer;
  const certHash = hash('sha256', Buffer.from(named.certificate.rawData), 'buffer');
  const seq = (...value: (Sequence | OctetString)[]) => new Sequence({ value });
  const octets = (bytes: Buffer) => new OctetString({ valueHex: arrayBuffer(bytes) });
  const attribute = (type: string, value: ObjectIdentifier | OctetString | Sequence) =>
    new pkijs.Attribute({ type, values: [value] });
  const data = new pkijs.SignedData({
    version: 3,
    encapContentInfo: new pkijs.EncapsulatedContentInfo({
      eContentType: '1.2.840.113549.1.9.16.1.4',
      eContent: octets(content),
    }),
    signerInfos: [
      new pkijs.SignerInfo({
        version: 1,
        sid: new pkijs.IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
        signedAttrs: new pkijs.SignedAndUnsignedAttributes({
          type: 0,
          attributes: [
            attribute('1.2.840.113549.1.9.3', new ObjectIdentifier({ value: '1.2.840.113549.1.9.16.1.4' })),
            attribute('1.2.840.113549.1.9.4', octets(hash('sha256', content, 'buffer'))),
            attribute('1.2.840.113549.1.9.16.2.47', seq(seq(seq(octets(certHash))))),
          ],
        }),
      }),
    ],
    certificates: [certificate, pkijs.Certificate.fromBER(ca.certificate.rawData)],
  });
  await data.sign(signer.keys.privateKey, 0, 'SHA-256');
  if (behave.spoilt === true) {
    const [info] = data.signerInfos;
    const bytes = Buffer.from(info!.signature.valueBlock.valueHexView);
    bytes[bytes.length - 1]! ^= 1;
    info!.signature = octets(bytes);
  }
  return data.toSchema(true);
}
