import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSystem, type System, until } from '../support/system.js';
import { writeMeasured } from '../support/measured.js';

/** Tessera's verifier of tlog-tiles logs: nobody here wrote it. */
const FSCK = 'github.com/transparency-dev/tessera/cmd/fsck@v1.0.2';
const RECORDS = 3_000;
const AT_ONCE = 50;

let system: System;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-public-client-'));
  system = await startSystem();
});
afterAll(async () => {
  await system.stop();
  rmSync(dir, { recursive: true, force: true });
});

function install(): string {
  const env = { ...process.env, GOBIN: dir, GOFLAGS: '-mod=mod' };
  const run = spawnSync('go', ['install', FSCK], { env, encoding: 'utf8' });
  if (run.status !== 0)
    throw new Error(`this check builds a public verifier and needs Go: ${run.stderr ?? 'go is not installed'}`);
  return join(dir, 'fsck');
}

it('a public tlog client rebuilds the root from our tiles and entries', async () => {
  const fsck = install();
  for (let done = 0; done < RECORDS; done += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, () => system.v1('/v1/verifications?limit=1')));
  const { adminUrl, caFile, opsToken } = system.credentials;
  const log = (path: string) =>
    system.call<string>(`${adminUrl}/log/${path}`, { headers: { authorization: `Bearer ${opsToken}` } });
  const size = await until(async () => {
    const signed = Number((await log('checkpoint')).text.split('\n')[1]);
    return signed > RECORDS && signed;
  });
  const keyFile = join(dir, 'key');
  writeFileSync(keyFile, (await log('keys')).text);
  const args = [
    `--storage_url=${adminUrl}/log/`,
    `--bearer_token=${opsToken}`,
    `--public_key=${keyFile}`,
    '--ui=false',
    '--logtostderr',
  ];
  const run = spawnSync(fsck, args, { env: { ...process.env, SSL_CERT_FILE: caFile }, encoding: 'utf8' });
  writeMeasured('public-client', {
    client: FSCK,
    size,
    said: run.stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^.*\] /, ''),
  });
  expect(run.stderr).toContain("Successfully fsck'd log with size");
  expect(run.status).toBe(0);
});
