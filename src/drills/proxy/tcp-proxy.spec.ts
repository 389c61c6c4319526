import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../platform/index.js';
import { networkFaultSchema } from '../faults.js';
import { drillCertificates } from './authority.js';
import { TcpProxy } from './tcp-proxy.js';

const WITHIN_MS = 5_000;

let echo: Server;
let proxy: TcpProxy;
const sockets = new Set<Socket>();

beforeEach(async () => {
  echo = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await TcpProxy.open({ targets: () => [{ host: '127.0.0.1', port: (echo.address() as AddressInfo).port }] });
});
afterEach(async () => {
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => echo.close(resolve));
});

const fault = (settings: object) => networkFaultSchema.parse(settings);

interface Talk {
  got: string;
  /** `end`, `open` or the code of an error. */
  end: string;
  ms: number;
}

/** Says something, ends its half, and listens until the connection ends or, where nothing is to come, for a while. */
function talk(text: string, listenMs = WITHIN_MS): Promise<Talk> {
  return new Promise((resolve) => {
    const from = performance.now();
    let got = '';
    const socket = connect(proxy.port, '127.0.0.1');
    sockets.add(socket);
    const done = (end: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ got, end, ms: performance.now() - from });
    };
    const timer = setTimeout(() => done('open'), listenMs);
    socket.on('data', (bytes) => (got += bytes.toString()));
    socket.on('end', () => done('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(String(error.code)));
    socket.end(text);
  });
}

describe('the proxy without a fault', () => {
  it('carries both ways, to the last byte and the end', async () => {
    const text = 'x'.repeat(300_000);
    expect(await talk(text)).toMatchObject({ got: text, end: 'end' });
  });

  it('tries the next peer when one is not there', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    const both = await TcpProxy.open({
      targets: () => [
        { host: '127.0.0.1', port },
        { host: '127.0.0.1', port: (echo.address() as AddressInfo).port },
      ],
    });
    const socket = connect(both.port, '127.0.0.1').end('hello');
    const [bytes] = await new Promise<Buffer[]>((resolve) => socket.on('data', (...given) => resolve(given)));
    expect(String(bytes)).toBe('hello');
    await both.close();
  });
});

describe('the faults of the network', () => {
  it('latency makes each piece late, on one way or both', async () => {
    await proxy.use([fault({ kind: 'latency', ms: 80, stream: 'both' })]);
    const { got, ms } = await talk('late');
    expect(got).toBe('late');
    expect(ms).toBeGreaterThanOrEqual(155);
  });

  it('bandwidth lets so much through in a second', async () => {
    await proxy.use([fault({ kind: 'bandwidth', bytesPerSecond: 20_000 })]);
    const { got, ms } = await talk('x'.repeat(6_000));
    expect(got.length).toBe(6_000);
    expect(ms).toBeGreaterThanOrEqual(250);
  });

  it('slicer hands on in small pieces', async () => {
    await proxy.use([fault({ kind: 'slicer', bytes: 10, delayMs: 10 })]);
    const { got, ms } = await talk('x'.repeat(100));
    expect(got.length).toBe(100);
    expect(ms).toBeGreaterThanOrEqual(90);
  });

  it('limit-data ends after so many bytes', async () => {
    await proxy.use([fault({ kind: 'limit-data', bytes: 7 })]);
    expect(await talk('x'.repeat(100))).toMatchObject({ got: 'xxxxxxx', end: 'end' });
  });

  it('reset is a reset and no end', async () => {
    await proxy.use([fault({ kind: 'reset' })]);
    expect(await talk('hello')).toMatchObject({ got: '', end: 'ECONNRESET' });
  });

  it('stall swallows one way and lets the other be', async () => {
    await proxy.use([fault({ kind: 'stall', stream: 'down' })]);
    let heard = '';
    echo.once('connection', (socket: Socket) => socket.on('data', (bytes) => (heard += bytes.toString())));
    expect(await talk('hello', 150)).toMatchObject({ got: '', end: 'open' });
    expect(heard).toBe('hello');
  });

  it('half-open takes the connection and asks nobody', async () => {
    await proxy.use([fault({ kind: 'half-open' })]);
    let asked = 0;
    echo.on('connection', () => (asked += 1));
    expect(await talk('hello', 150)).toMatchObject({ got: '', end: 'open' });
    expect(asked).toBe(0);
  });

  it('refused is the refusal of the system, until the port is open again', async () => {
    await proxy.use([fault({ kind: 'refused' })]);
    expect((await talk('hello')).end).toBe('ECONNREFUSED');
    await proxy.use([]);
    expect((await talk('hello')).got).toBe('hello');
  });

  it('tls-expired presents a certificate whose time is over, of an issuer that is trusted', async () => {
    const { authority, expired } = await drillCertificates(new SystemClock(), 'localhost');
    const presenting = await TcpProxy.open({
      targets: () => [],
      expired: { cert: expired.certificate, key: expired.key },
    });
    await presenting.use([fault({ kind: 'tls-expired' })]);
    const code = await new Promise((resolve) => {
      connectTls({ port: presenting.port, host: '127.0.0.1', servername: 'localhost', ca: authority }).on(
        'error',
        (error: NodeJS.ErrnoException) => resolve(error.code),
      );
    });
    expect(code).toBe('CERT_HAS_EXPIRED');
    await presenting.close();
  });

  it('strike connections that stood before they began', async () => {
    const socket = connect(proxy.port, '127.0.0.1');
    const answered = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())));
    socket.write('before');
    expect(await answered).toBe('before');
    await proxy.use([fault({ kind: 'reset' })]);
    const code = await new Promise((resolve) =>
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)),
    );
    expect(code).toBe('ECONNRESET');
  });

  it('that were silent end with their connections, and nothing is sent late', async () => {
    await proxy.use([fault({ kind: 'stall' })]);
    const talking = talk('hello');
    await new Promise<void>((resolve) => echo.once('connection', () => resolve()));
    await proxy.use([]);
    expect(await talking).toMatchObject({ got: '', end: 'ECONNRESET' });
  });
});
