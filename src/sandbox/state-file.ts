import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';

const stateSchema = z.object({
  pid: z.number().int().positive(),
  port: z.number(),
  url: z.url(),
  startedAt: z.string(),
});

/** Where a running sandbox is. */
export type SandboxState = z.output<typeof stateSchema>;

/** Whole or not at all: a reader never meets half a file. */
export const writeState = (file: string, state: SandboxState): Promise<void> =>
  writeWhole(file, `${JSON.stringify(state)}\n`);

export const writeWhole = async (file: string, text: string): Promise<void> => {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, file);
};

/** Null when there is none, or it is not one. */
export const readState = async (file: string): Promise<SandboxState | null> => {
  try {
    return stateSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
};

/** Removes the file while it still tells of that process: a successor's stays. */
export const removeState = async (file: string, pid: number): Promise<void> => {
  if ((await readState(file))?.pid === pid) await rm(file, { force: true });
};
