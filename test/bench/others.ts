import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { childrenOf, ended, installed, type Measured } from './processes.js';

export interface Tls {
  cert: string;
  key: string;
  ca: string;
}

export interface Contestant extends Measured {
  origin: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number): Promise<void> {
  const { connect } = await import('node:net');
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.end());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('a yardstick did not start');
}

/** nginx as a proxy with one worker, TLS on both sides; undefined where it is not installed. */
export async function nginx(dir: string, tls: Tls, upstreamPort: number): Promise<Contestant | undefined> {
  if (!installed('nginx')) return undefined;
  const port = await freePort();
  const home = join(dir, 'nginx');
  mkdirSync(home, { recursive: true });
  const file = join(home, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${home}/nginx.pid; error_log ${home}/error.log crit;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path ${home}; proxy_temp_path ${home}; fastcgi_temp_path ${home}; uwsgi_temp_path ${home}; scgi_temp_path ${home};
  upstream vendor { server 127.0.0.1:${upstreamPort}; keepalive 64; }
  server { listen 127.0.0.1:${port} ssl; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; keepalive_requests 1000000000;
    location / { proxy_pass https://vendor; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_ssl_verify on; proxy_ssl_name localhost;
      proxy_ssl_trusted_certificate ${tls.ca}; } } }`,
  );
  const child = spawn('nginx', ['-c', file, '-p', home], { stdio: 'ignore' });
  await reachable(port);
  return {
    name: 'nginx',
    origin: `https://127.0.0.1:${port}`,
    pids: () => [child.pid ?? 0, ...childrenOf(child.pid ?? 0)],
    stop: () => ended(child),
  };
}

/** HAProxy with one thread, TLS on both sides; undefined where it is not installed. */
export async function haproxy(dir: string, tls: Tls, upstreamPort: number): Promise<Contestant | undefined> {
  if (!installed('haproxy')) return undefined;
  const port = await freePort();
  const home = join(dir, 'haproxy');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'server.pem'), readFileSync(tls.cert, 'utf8') + readFileSync(tls.key, 'utf8'), {
    mode: 0o600,
  });
  const file = join(home, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode http
  timeout connect 3s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${port} ssl crt ${home}/server.pem
  default_backend vendor
backend vendor
  server vendor 127.0.0.1:${upstreamPort} ssl verify required ca-file ${tls.ca} verifyhost localhost
`,
  );
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  await reachable(port);
  return {
    name: 'haproxy',
    origin: `https://127.0.0.1:${port}`,
    pids: () => [child.pid ?? 0],
    stop: () => ended(child),
  };
}
