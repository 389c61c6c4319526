import { EntitySettings } from '../incidents/index.js';
import { workflowsOf } from '../orchestration/index.js';
import { loadConfig, settings } from '../platform/index.js';

/** Reads the file as a start in this environment would, and lists what the two change from the defaults. */
export function checkVerb(file: string): void {
  const config = loadConfig({ ...process.env, GATEHOUSE_CONFIG: file });
  EntitySettings.of(config);
  workflowsOf(config);
  const defaults = loadConfig({}, { together: false });
  let changed = 0;
  for (const setting of settings()) {
    const read = (tree: unknown): unknown =>
      setting.path.reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], tree);
    if (JSON.stringify(read(config)) === JSON.stringify(read(defaults))) continue;
    changed += 1;
    process.stdout.write(`${setting.path.join('.')}: set${setting.description ? ` (${setting.description})` : ''}\n`);
  }
  process.stdout.write(`${file} is valid; ${changed} of ${settings().length} settings differ from their defaults\n`);
}
