import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { until } from './system.js';

export interface RsyslogFiles {
  /** Whose certificates it takes from senders. */
  caFile: string;
  certFile: string;
  keyFile: string;
}

/** A message as rsyslog parsed it. */
export interface Parsed {
  pri: string;
  timestamp: string;
  hostname: string;
  app: string;
  msgid: string;
  sd: string;
  msg: string;
}

export interface Rsyslog {
  url: string;
  /** All that it has written so far. */
  parsed(): Parsed[];
  /** Ends it as an operator would, or at once. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Where Debian puts it, which is on no ordinary user's path. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
const NEEDED = 'this check needs rsyslogd with GnuTLS: apt-get install -y rsyslog rsyslog-gnutls';

/** A rsyslogd of its own in the foreground, on the loopback, with TLS and a certificate asked of its senders; output goes to a file. */
export async function startRsyslog(dir: string, files: RsyslogFiles, port?: number): Promise<Rsyslog> {
  if (spawnSync('rsyslogd', ['-v'], { env: ENVIRONMENT }).status !== 0) throw new Error(NEEDED);
  mkdirSync(dir, { recursive: true });
  const at = port ?? (await freePort());
  const config = join(dir, 'rsyslog.conf');
  const out = join(dir, 'out.jsonl');
  writeFileSync(config, configuration(dir, files, at, out));
  writeFileSync(out, '', { flag: 'a' });
  const child = spawn('rsyslogd', ['-n', '-f', config, '-i', join(dir, 'rsyslogd.pid')], {
    env: ENVIRONMENT,
    stdio: 'ignore',
  });
  await until(async () => child.exitCode !== null || (await listens(at))).catch(() => undefined);
  if (child.exitCode !== null || !(await listens(at))) {
    await ended(child, 'SIGKILL');
    throw new Error(NEEDED);
  }
  return {
    url: `tls://127.0.0.1:${at}`,
    parsed: () =>
      readFileSync(out, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Parsed),
    stop: (signal = 'SIGTERM') => ended(child, signal),
  };
}

function configuration(dir: string, files: RsyslogFiles, port: number, out: string): string {
  return `
global(workDirectory="${dir}" maxMessageSize="128k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="${files.caFile}"
  defaultNetstreamDriverCertFile="${files.certFile}" defaultNetstreamDriverKeyFile="${files.keyFile}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/certvalid" maxFrameSize="200000")
template(name="parsed" type="list" option.jsonf="on") {
  property(outname="pri" name="pri" format="jsonf")
  property(outname="timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="hostname" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="sd" name="structured-data" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
}
ruleset(name="keep") { action(type="omfile" file="${out}" template="parsed" asyncWriting="off" flushOnTXEnd="on") }
input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="keep")
`;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
