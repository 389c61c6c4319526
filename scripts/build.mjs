// Compiles src, migrations and the bench to dist when a source is newer than the last build; `--force` compiles anyway.
// `npm start`, `npm test` and the command line pass through here, so a fresh clone needs no separate step.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const stamp = join(dist, '.built');
/** Folders of files that are read as they are. */
const ASSETS = ['src/drills/scenarios'];

/** As `engines` in package.json says. */
function isNodeNewEnough(version) {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major === 22) return minor > 22 || (minor === 22 && patch >= 3);
  return major > 24 || (major === 24 && minor >= 11);
}

/** Folders count too: a file that was removed or renamed changes only the time of its folder. */
function newest(path) {
  const entries = statSync(path).isDirectory() ? readdirSync(path, { withFileTypes: true, recursive: true }) : [];
  return Math.max(
    statSync(path).mtimeMs,
    ...entries.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );
}

function isStale() {
  if (!existsSync(stamp)) return true;
  const built = statSync(stamp).mtimeMs;
  return ['src', 'migrations', 'test/bench', 'test/support', 'package.json', 'tsconfig.json', 'tsconfig.build.json']
    .map((path) => join(root, path))
    .some((path) => existsSync(path) && newest(path) > built);
}

/** Into a folder of its own that then takes the place of dist: nothing of an earlier build stays, such as a migration that was renamed. */
function compile() {
  const next = join(root, `dist.${process.pid}`);
  const began = new Date();
  const compiler = join(root, 'node_modules', 'typescript7', 'bin', 'tsc');
  const built = spawnSync(
    process.execPath,
    [compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', next, '--noEmitOnError'],
    { stdio: 'inherit' },
  );
  if (built.status !== 0) {
    rmSync(next, { recursive: true, force: true });
    process.exit(built.status ?? 1);
  }
  for (const folder of ASSETS) cpSync(join(root, folder), join(next, folder), { recursive: true });
  writeFileSync(join(next, '.built'), `${process.versions.node}\n`);
  // What was saved while the compiler read counts as newer.
  utimesSync(join(next, '.built'), began, began);
  takePlace(next);
}

/** Another build may put its dist there between the two steps. */
function takePlace(next, attempts = 5) {
  rmSync(dist, { recursive: true, force: true });
  try {
    renameSync(next, dist);
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' || attempts === 0) throw error;
    takePlace(next, attempts - 1);
  }
}

if (!isNodeNewEnough(process.versions.node)) {
  console.error(
    `Gatehouse needs Node.js 22.22.3, 24.11 or newer; this is ${process.versions.node}. Run it through npm, which puts the Node.js that came with "npm ci" first on the path.`,
  );
  process.exit(1);
}
if (process.argv.includes('--force') || isStale()) compile();
