import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentCertificates, SystemClock } from '../../src/platform/index.js';

/** Whoever is woken by alarms: an HTTPS server that keeps what it is told. */
export interface AlarmReceiver {
  url: string;
  caFile: string;
  taken: { alarm: string; state: string; at: string; instance: string; origin: string }[];
  authorizations: Set<string | undefined>;
  refused: number;
  /** Answers 503 to so many. */
  refuse(times: number): void;
  forget(): void;
  stop(): Promise<void>;
}

export async function alarmReceiver(): Promise<AlarmReceiver> {
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-receiver-'));
  const files = await ensureDevelopmentCertificates(dir, ['localhost'], new SystemClock());
  let refusals = 0;
  const tls = { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
  const server = createServer(tls, (incoming, answer) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      receiver.authorizations.add(incoming.headers.authorization);
      if (refusals > 0) {
        refusals -= 1;
        receiver.refused += 1;
        answer.writeHead(503).end();
        return;
      }
      receiver.taken.push(JSON.parse(Buffer.concat(parts).toString()) as AlarmReceiver['taken'][number]);
      answer.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: AlarmReceiver = {
    url: `https://localhost:${(server.address() as AddressInfo).port}/alarms`,
    caFile: files.caFile,
    taken: [],
    authorizations: new Set(),
    refused: 0,
    refuse: (times) => (refusals = times),
    forget: () => {
      receiver.taken.length = 0;
      receiver.authorizations.clear();
      receiver.refused = 0;
      refusals = 0;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
  return receiver;
}
