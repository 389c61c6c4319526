import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../development/files.js';

const recordSchema = z.object({
  /** The cluster's folder. */
  place: z.string(),
  pid: z.int().positive(),
  port: z.int().min(1).max(65_535),
});

/** `<data>/postgres.json`: by this the next start finds the cluster, its port and a postmaster that was left. */
export type PostgresRecord = z.infer<typeof recordSchema>;

/** Undefined where there is none, or none that can be read: everything in it can be found again. */
export async function readRecord(dataDir: string): Promise<PostgresRecord | undefined> {
  try {
    const text = await readFile(join(dataDir, 'postgres.json'), 'utf8');
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export async function writeRecord(dataDir: string, record: PostgresRecord): Promise<void> {
  await writeFileAtomically(join(dataDir, 'postgres.json'), `${JSON.stringify(record)}\n`, 0o600);
}
