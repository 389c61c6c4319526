import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAnchor } from '../../src/audit/index.js';
import { withClient } from '../support/audit.js';
import { startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';
import { startTsa } from '../support/tsa.js';

/** OpenSSL's own authority and its own verifier: neither has a line of ours. */
const CONFIG = (dir: string) => `
[req]
distinguished_name = dn
prompt = no
[dn]
CN = OpenSSL TSA
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[tsa_cert]
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = ${dir}/serial
signer_cert = ${dir}/tsa.pem
certs = ${dir}/ca.pem
signer_key = ${dir}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.99
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`;

describe('time stamps against OpenSSL', () => {
  let dir: string;
  let server: Server;
  let url: string;
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', args, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const file = (name: string, bytes: string | Buffer): string => {
    writeFileSync(join(dir, name), bytes);
    return name;
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-openssl-'));
    file('tsa.cnf', CONFIG(dir));
    file('serial', '01\n');
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', 'tsa.cnf'];
    openssl(
      'req',
      '-x509',
      ...key,
      '-subj',
      '/CN=OpenSSL Root',
      '-extensions',
      'ca',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    );
    openssl('req', ...key, '-keyout', 'tsa.key', '-out', 'tsa.csr');
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', '7', '-days', '30'];
    openssl(
      'x509',
      '-req',
      '-in',
      'tsa.csr',
      ...signing,
      '-extfile',
      'tsa.cnf',
      '-extensions',
      'tsa_cert',
      '-out',
      'tsa.pem',
    );
    server = createServer((incoming, answer) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', () => {
        file('query.tsq', Buffer.concat(parts));
        openssl(
          'ts',
          '-reply',
          '-config',
          'tsa.cnf',
          '-section',
          'tsa_config',
          '-queryfile',
          'query.tsq',
          '-out',
          'reply.tsr',
        );
        answer
          .writeHead(200, { 'content-type': 'application/timestamp-reply' })
          .end(readFileSync(join(dir, 'reply.tsr')));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  it('has its stamps of OpenSSL, which OpenSSL verifies as we do', async () => {
    const anchors = `{ url: '${url}', caFile: '${join(dir, 'ca.pem')}', every: 500ms, policy: 1.2.3.4.99 }`;
    const system: System = await startSystem({ yaml: `${WIDE_LIMITS}\naudit: { anchors: ${anchors} }\n` });
    try {
      const [anchor] = await until(async () => {
        const { body } = await system.admin<{ items: { size: number; token: string }[] }>('/audit/anchors');
        return body.items.length > 0 && body.items;
      });
      const note = await withClient(system.credentials.databaseUrl, async (client) => {
        const { rows } = await client.query<{ note: string }>('SELECT note FROM audit.checkpoint WHERE size = $1', [
          anchor!.size,
        ]);
        return rows[0]!.note;
      });
      const token = Buffer.from(anchor!.token, 'base64');
      file('token.der', token);
      file('note', note);
      file('other-note', `${note} `);
      const verify = (data: string, ca: string) =>
        openssl('ts', '-verify', '-data', data, '-in', 'token.der', '-token_in', '-CAfile', ca);
      expect(verify('note', 'ca.pem')).toContain('OK');
      expect(() => verify('other-note', 'ca.pem')).toThrow();
      expect(openssl('ts', '-query', '-in', 'query.tsq', '-text')).toMatch(
        /Hash Algorithm: sha256[\s\S]*Policy OID: 1\.2\.3\.4\.99[\s\S]*Certificate required: yes/,
      );
      const { authority } = await verifyAnchor(note, token, readFileSync(join(dir, 'ca.pem'), 'utf8'));
      expect(authority).toBe('CN=OpenSSL TSA');
    } finally {
      await system.stop();
    }
  });

  for (const hash of ['sha1', 'sha384']) {
    it(`takes a token whose certificate is named by ${hash}`, async () => {
      file('tsa.cnf', CONFIG(dir).replace('ess_cert_id_alg = sha256', `ess_cert_id_alg = ${hash}`));
      file('note', 'any text');
      openssl('ts', '-query', '-data', 'note', '-sha256', '-cert', '-out', 'own.tsq');
      openssl(
        'ts',
        '-reply',
        '-config',
        'tsa.cnf',
        '-section',
        'tsa_config',
        '-queryfile',
        'own.tsq',
        '-token_out',
        '-out',
        'own.der',
      );
      const roots = readFileSync(join(dir, 'ca.pem'), 'utf8');
      await expect(verifyAnchor('any text', readFileSync(join(dir, 'own.der')), roots)).resolves.toBeDefined();
    });
  }

  it('has the authority of our specs taken for good by OpenSSL', async () => {
    const tsa = await startTsa();
    try {
      openssl('ts', '-query', '-data', file('note', 'any text'), '-sha256', '-cert', '-out', 'own.tsq');
      const answer = await fetch(tsa.url, { method: 'POST', body: readFileSync(join(dir, 'own.tsq')) });
      file('own.tsr', Buffer.from(await answer.arrayBuffer()));
      file('spec-ca.pem', tsa.roots);
      expect(openssl('ts', '-verify', '-queryfile', 'own.tsq', '-in', 'own.tsr', '-CAfile', 'spec-ca.pem')).toContain(
        'OK',
      );
    } finally {
      await tsa.stop();
    }
  });
});
