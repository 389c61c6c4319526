import { hash, randomBytes } from 'node:crypto';
import { fromBER, Integer, Null, OctetString, type Sequence } from 'asn1js';
import { AlgorithmIdentifier, MessageImprint, TimeStampReq, TimeStampResp } from 'pkijs';
import { Agent, request } from 'undici';
import type { Clock } from '../../platform/index.js';
import { type Anchored, arrayBuffer, readToken, verifyAnchor } from './verify-anchor.js';

export interface AuthorityParts {
  url: string;
  /** PEM of what its certificate must chain to. */
  roots: string;
  /** Object identifier that the stamp must be under. */
  policy?: string | undefined;
  clock: Clock;
}

export interface Stamp extends Anchored {
  /** DER of the TimeStampToken. */
  token: Buffer;
}

const SHA_256 = '2.16.840.1.101.3.4.2.1';
const NONCE_BYTES = 16;
const TIMEOUT_MS = 15_000;
/** A token with a chain of certificates has a few kilobytes. */
const MOST_BYTES = 64 * 1024;
/** How far the authority's time may be from ours: what is more is a replayed answer, or a clock that is off. */
const MOST_APART_MS = 300_000;
/** granted, grantedWithMods (RFC 3161 section 2.4.2). */
const GRANTED = [0, 1];

/** A time-stamping authority over HTTP (RFC 3161 section 3.4). */
export class Authority {
  readonly #agent = new Agent({
    connect: { timeout: TIMEOUT_MS },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    maxResponseSize: MOST_BYTES,
    connections: 1,
  });

  constructor(private readonly parts: AuthorityParts) {}

  /** @throws TypeError in one sentence on an answer that is not good; the transport's error when none came */
  async stamp(note: string): Promise<Stamp> {
    const { url, roots, policy, clock } = this.parts;
    const nonce = positive(randomBytes(NONCE_BYTES));
    const { statusCode, body } = await request(url, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
      body: timeStampQuery(note, nonce, policy),
    });
    const answer = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new TypeError('the authority did not answer with a time stamp');
    const token = grantedToken(answer);
    const anchored = await verifyAnchor(note, token, roots);
    const { info } = readToken(token);
    if (info.nonce === undefined || !nonce.equals(Buffer.from(info.nonce.valueBlock.valueHexView)))
      throw new TypeError('the time stamp answers another question');
    if (policy !== undefined && info.policy !== policy) throw new TypeError('the time stamp is under another policy');
    if (Math.abs(anchored.genTime.getTime() - clock.epochMs()) > MOST_APART_MS)
      throw new TypeError('the time of the time stamp is far from ours');
    return { ...anchored, token };
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** DER of a TimeStampReq about this text, that asks for the certificate too. */
function timeStampQuery(note: string, nonce: Buffer, policy: string | undefined): Buffer {
  const query = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA_256, algorithmParams: new Null() }),
      hashedMessage: new OctetString({ valueHex: arrayBuffer(hash('sha256', note, 'buffer')) }),
    }),
    nonce: new Integer({ valueHex: arrayBuffer(nonce) }),
    certReq: true,
    ...(policy === undefined ? {} : { reqPolicy: policy }),
  });
  return Buffer.from(query.toSchema().toBER(false));
}

/** DER is shortest and positive numbers begin with a clear bit: a first byte of 0x40 to 0x7f is both. */
function positive(bytes: Buffer): Buffer {
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function grantedToken(answer: Buffer): Buffer {
  let response: TimeStampResp;
  try {
    response = TimeStampResp.fromBER(arrayBuffer(answer));
  } catch (error) {
    throw new TypeError('the answer of the authority is no TimeStampResp', { cause: error });
  }
  if (!GRANTED.includes(response.status.status) || response.timeStampToken === undefined)
    throw new TypeError('the authority refused to stamp');
  // The bytes as they came: encoded anew they could be others than those that were signed.
  const [, token] = (fromBER(arrayBuffer(answer)).result as Sequence).valueBlock.value;
  return Buffer.from(token?.valueBeforeDecodeView ?? []);
}
