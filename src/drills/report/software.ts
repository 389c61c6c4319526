import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Which software a report is about. The sources lie one folder nearer to package.json than what they compile to. */
export function software(): { gatehouse: string; node: string } {
  return { gatehouse: version(ROOT) ?? version(join(ROOT, '..')) ?? 'unknown', node: process.versions.node };
}

function version(folder: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return undefined;
  }
}
