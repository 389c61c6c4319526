import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

/** The yardstick: node:http and undici, TLS on both sides, no policy and no log. Runs as a process of its own. */
const [, , certFile = '', keyFile = '', caFile = '', upstream = ''] = process.argv;
const pool = new Pool(upstream, { connections: 64, connect: { ca: readFileSync(caFile) } });

const server = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), keepAliveTimeout: 60_000 },
  (request, response) => {
    const hasBody = request.method !== 'GET';
    pool.stream(
      {
        path: request.url ?? '/',
        method: request.method as 'GET' | 'POST',
        headers: hasBody
          ? { 'content-type': 'application/json', 'content-length': request.headers['content-length'] ?? '0' }
          : {},
        body: hasBody ? request : null,
      },
      ({ statusCode, headers }) => {
        response.writeHead(statusCode, headers as Record<string, string>);
        return response;
      },
      (error) => {
        if (error) response.destroy(error);
      },
    );
  },
);
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
