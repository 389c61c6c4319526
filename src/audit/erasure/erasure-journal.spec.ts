import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Keyring, uuidv7 } from '../../platform/index.js';
import { ErasureJournal, type JournaledErasure } from './erasure-journal.js';

const keyring = new Keyring(Buffer.alloc(32, 9));

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-erasures-'));
});
afterAll(() => rm(dir, { recursive: true }));

const anErasure = (): JournaledErasure => ({
  erasure: uuidv7(),
  client: uuidv7(),
  subject: '9f86d081884c7d659a2feaa0c55ad015',
  ground: 'request',
  record: uuidv7(),
  at: '2026-03-10T08:00:00.000Z',
});
const journal = (name: string, ring = keyring) => new ErasureJournal(join(dir, name, 'erasures.jsonl'), ring);

describe('the journal of erasures', () => {
  it('is empty before the first, and then gives back each once, whatever was written twice', async () => {
    const [one, two] = [anErasure(), anErasure()];
    const writer = journal('a');
    expect(await writer.read()).toEqual({ erasures: [], strange: 0 });
    await Promise.all([writer.add([one]), writer.add([two, one]), writer.add([two])]);
    expect(await journal('a').read()).toEqual({ erasures: [one, two], strange: 0 });
    const lines = (await readFile(writer.path, 'utf8')).split('\n').filter(Boolean);
    expect(lines).toHaveLength(2);
    expect((await stat(writer.path)).mode & 0o777).toBe(0o600);
    const again = journal('a');
    await again.read();
    await again.add([one, two]);
    expect((await readFile(writer.path, 'utf8')).split('\n').filter(Boolean)).toHaveLength(2);
  });

  it('goes on after a line that a crash cut off', async () => {
    const [one, two] = [anErasure(), anErasure()];
    const writer = journal('b');
    await writer.add([one]);
    await appendFile(writer.path, '{"at":"2026-03');
    expect(await journal('b').read()).toEqual({ erasures: [one], strange: 0 });
    await journal('b').add([two]);
    expect(await journal('b').read()).toEqual({ erasures: [one, two], strange: 1 });
  });

  it('has nobody erased whom no holder of the master key has written into it', async () => {
    const writer = journal('c');
    const entry = anErasure();
    await writer.add([entry]);
    const line = (await readFile(writer.path, 'utf8')).trim();
    const forged = [
      line.replace(entry.subject, '0'.repeat(32)),
      line.replace('2026-03-10', '2027-03-10'),
      JSON.stringify({ ...entry, erasure: uuidv7() }),
      JSON.stringify({ ...entry, mac: null }),
      'null',
      '[]',
    ];
    await writeFile(writer.path, `${line}\n${forged.join('\n')}\n`);
    expect(await journal('c').read()).toEqual({ erasures: [entry], strange: forged.length });
    expect(await journal('c', new Keyring(Buffer.alloc(32, 8))).read()).toEqual({
      erasures: [],
      strange: forged.length + 1,
    });
  });

  it('says so when it cannot be read or written', async () => {
    const broken = new ErasureJournal(dir, keyring);
    await expect(broken.read()).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(broken.add([anErasure()])).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
