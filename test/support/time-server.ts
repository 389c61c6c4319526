import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

const EPOCH_S = 2_208_988_800;

/** What is sent back to each question, which is the n-th. */
export type Reply = (question: Buffer, n: number) => Buffer[] | Promise<Buffer[]>;

export interface TimeServer {
  port: number;
  stop(): Promise<void>;
}

/** A good answer of a server at this instant, of stratum 2. */
export function answerTo(question: Buffer, nowMs: number): Buffer {
  const answer = Buffer.alloc(48);
  answer[0] = 0x24;
  answer[1] = 2;
  question.copy(answer, 24, 40, 48);
  for (const at of [32, 40]) {
    const seconds = Math.floor(nowMs / 1_000);
    answer.writeUInt32BE((seconds + EPOCH_S) % 2 ** 32, at);
    answer.writeUInt32BE(Math.floor(((nowMs % 1_000) / 1_000) * 2 ** 32), at + 4);
  }
  return answer;
}

/** A time server on loopback. */
export async function timeServer(reply: Reply): Promise<TimeServer> {
  const socket = createSocket('udp4');
  let n = 0;
  socket.on('message', (question, { port, address }) => {
    void (async () => {
      for (const answer of await reply(question, n++)) socket.send(answer, port, address);
    })();
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    port: (socket.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
