import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decision } from './decision.js';

/** A vendor that answers at once and always the same, so that what is measured is what stands before it. Runs as a process of its own. */
const [, , certFile = '', keyFile = '', keepAlive = '60000'] = process.argv;
const sessionId = '0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10';
const full = Buffer.from(JSON.stringify(decision(sessionId)));
let asAnswered: Buffer = full;
let created: Buffer = Buffer.from('{}');
let sessions = 0;

function session(): Buffer {
  sessions += 1;
  const id = sessions === 1 ? sessionId : `0b6f6c1e-2f3a-4d55-9a55-${sessions.toString(16).padStart(12, '0')}`;
  return Buffer.from(
    JSON.stringify({
      session_id: id,
      session_number: sessions,
      session_token: 'aBcDeFgHiJkL',
      url: `https://localhost/session/aBcDeFgHiJkL`,
      vendor_data: 'bench',
      metadata: null,
      status: 'Not Started',
      callback: null,
      workflow_id: '11111111-2222-4333-8444-555555555555',
      workflow_version: 1,
    }),
  );
}

function send(response: ServerResponse, status: number, body: Buffer): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

function collect(request: IncomingMessage, then: (body: Buffer) => void): void {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part)).on('end', () => then(Buffer.concat(parts)));
}

const server = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), keepAliveTimeout: Number(keepAlive) },
  (request, response) => {
    const url = request.url ?? '';
    if (request.method === 'GET') return send(response, 200, url.startsWith('/as-answered') ? asAnswered : full);
    collect(request, (body) => {
      if (url === '/_set/read') asAnswered = body;
      if (url === '/_set/create') created = body;
      if (url.startsWith('/_set')) return send(response, 200, Buffer.from('{}'));
      return send(response, 201, url.startsWith('/as-created') ? created : session());
    });
  },
);
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
