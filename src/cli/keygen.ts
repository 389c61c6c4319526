import { generateKeyFiles } from '../platform/index.js';

export async function keygenVerb(dir: string): Promise<void> {
  const files = await generateKeyFiles(dir);
  for (const file of Object.values(files)) process.stdout.write(`${String(file)}\n`);
}
