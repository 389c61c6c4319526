import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../../platform/index.js';

export interface TimeSource {
  host: string;
  port: number;
}

/** One exchange with a time server. */
export interface TimeSample {
  /** By how much the server is ahead of our clock, no finer than the millisecond of the latter. */
  offsetUs: number;
  /** Time on the way, there and back: the offset is right within half of it. */
  delayUs: number;
}

/** No time came of it: no answer, or none to go by. `kiss` is the code of a server that wants to be left alone (RFC 5905 section 7.4). */
export class NoTime extends Error {
  constructor(
    reason: string,
    readonly kiss?: string,
  ) {
    super(reason);
    this.name = 'NoTime';
  }
}

const NTP_PORT = 123;
const PACKET_BYTES = 48;
/** No leap warning, version 4, mode 3: client. */
const CLIENT = 0x23;
const SERVER_MODE = 4;
const UNSYNCHRONISED = 3;
const MOST_STRATUM = 15;
/** 1 January 1900 to 1 January 1970. */
const EPOCH_S = 2_208_988_800;
const ERA_S = 2 ** 32;

/** @param url such as ntp://time.example:123 */
export function timeSource(url: string): TimeSource {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: port === '' ? NTP_PORT : Number(port) };
}

export interface MeasureOptions {
  samples?: number;
  timeoutMs?: number;
  /** Between two questions. */
  gapMs?: number;
  /** Calls the rest of the questions off. */
  signal?: AbortSignal;
}

/** Asks several times and believes the answer that was least on the way (RFC 5905 section 10). @throws NoTime of the last failure when none was good */
export async function measure(
  source: TimeSource,
  clock: Clock,
  { samples = 4, timeoutMs = 1_000, gapMs = 2_000, signal }: MeasureOptions = {},
): Promise<TimeSample> {
  let best: TimeSample | undefined;
  let trouble = new NoTime('nothing was asked');
  for (let n = 0; n < samples; n += 1) {
    // Public servers take several questions at once for an attack.
    if (n > 0) await pause(gapMs, undefined, { signal }).catch(() => undefined);
    if (signal?.aborted) break;
    try {
      const sample = await askTime(source, clock, timeoutMs);
      if (best === undefined || sample.delayUs < best.delayUs) best = sample;
    } catch (error) {
      trouble = error instanceof NoTime ? error : new NoTime('the server cannot be reached');
      if (trouble.kiss !== undefined) break;
    }
  }
  if (best === undefined) throw trouble;
  return best;
}

/** One question in client mode (RFC 4330 section 5, RFC 5905 appendix A). @throws NoTime */
export async function askTime({ host, port }: TimeSource, clock: Clock, timeoutMs: number): Promise<TimeSample> {
  const { address, family } = await lookup(host).catch(() => {
    throw new NoTime('the name of the server is not known');
  });
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    // Connected, so that datagrams of others are never seen and an absent server is known at once.
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, address, resolve);
    });
    return await exchange(socket, clock, timeoutMs);
  } finally {
    socket.close();
  }
}

function exchange(socket: Socket, clock: Clock, timeoutMs: number): Promise<TimeSample> {
  // A random number stands for our time: the answer returns it, which who cannot see the question cannot (RFC 5905 section 8, test 2).
  const question = Buffer.alloc(PACKET_BYTES);
  question[0] = CLIENT;
  const nonce = randomBytes(8);
  nonce.copy(question, 40);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new NoTime('no answer came in time')), timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const sentUs = clock.epochMs() * 1_000;
    const startedNs = clock.monotonic();
    socket.on('error', () => fail(new NoTime('the server cannot be reached')));
    socket.on('message', (answer) => {
      const tookUs = Number((clock.monotonic() - startedNs) / 1_000n);
      // Forged or late: the true one may yet come.
      if (answer.length < PACKET_BYTES || !answer.subarray(24, 32).equals(nonce)) return;
      try {
        const sample = readAnswer(answer, sentUs, tookUs);
        clearTimeout(timer);
        resolve(sample);
      } catch (error) {
        fail(error as Error);
      }
    });
    socket.send(question);
  });
}

/** @throws NoTime on an answer that gives no time to go by */
function readAnswer(answer: Buffer, sentUs: number, tookUs: number): TimeSample {
  const flags = answer.readUInt8(0);
  const stratum = answer.readUInt8(1);
  if ((flags & 0x7) !== SERVER_MODE) throw new NoTime('the answer is none of a server');
  if (stratum === 0) throw new NoTime('the server wants to be left alone', answer.toString('latin1', 12, 16));
  if (flags >> 6 === UNSYNCHRONISED || stratum > MOST_STRATUM) throw new NoTime('the server has no time itself');
  const received = instantUs(answer, 32, sentUs);
  const sent = instantUs(answer, 40, sentUs);
  if (answer.readBigUInt64BE(40) === 0n || sent < received) throw new NoTime('the answer tells no time');
  const delayUs = tookUs - (sent - received);
  return {
    offsetUs: Math.round((received - sentUs + (sent - (sentUs + tookUs))) / 2),
    delayUs: Math.max(0, Math.round(delayUs)),
  };
}

/** Seconds of 32 bits begin again in 2036: meant is the instant that is nearest to ours (RFC 5905 section 6). */
function instantUs(answer: Buffer, at: number, nearUs: number): number {
  const seconds = answer.readUInt32BE(at) - EPOCH_S;
  const era = Math.round((nearUs / 1_000_000 - seconds) / ERA_S);
  return (seconds + era * ERA_S) * 1_000_000 + (answer.readUInt32BE(at + 4) * 1_000_000) / 2 ** 32;
}
