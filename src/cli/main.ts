#!/usr/bin/env node
import { Command } from 'commander';
import type { VerifyVerbOptions } from './verify.js';

type Verb = Parameters<Command['action']>[0];

/** A verb whose module is loaded when it is called: no verb needs the whole house, and to load all of it takes seconds. */
function verb<N extends string>(load: () => Promise<Readonly<Record<N, Verb>>>, name: N): Verb {
  return async function (...args) {
    const module = await load();
    await module[name].apply(this, args);
  };
}

const program = new Command('gatehouse')
  .description('The gateway between a regulated firm and its identity-verification vendor.')
  .showHelpAfterError();

program
  .command('start')
  .description('start the gateway, as npm start does')
  .action(async () => (await import('../start/index.js')).start(process.env));
program
  .command('bootstrap')
  .description('migrate, then make the first administrator and client; prints their secrets once')
  .option('--json', 'print one JSON document as the last line')
  .action(verb(() => import('./bootstrap.js'), 'bootstrapVerb'));
program
  .command('migrate')
  .description('bring the database up to date as the migrating role')
  .action(verb(() => import('./migrate.js'), 'migrateVerb'));
program
  .command('verify')
  .description('recompute the audit log from its stored bytes; exits non-zero at the first bad record')
  .option('--from <n>', 'first record to look at')
  .option('--to <n>', 'past the last record to look at')
  .option('--url <url>', 'verify from tiles over HTTPS (…/log), with the bearer in GATEHOUSE_OPS_TOKEN')
  .option('--archive <dir>', 'verify an archive, offline')
  .option('--ca <file>', 'with --url: PEM of a CA to trust')
  .option('--key <key...>', 'public keys (vkeys, or files of them) to believe; by default that of the settings')
  .option(
    '--trusted-checkpoint <file>',
    'a checkpoint that the log must extend; by default the one kept on this machine',
  )
  .option('--anchors <file>', 'check time stamps, too: PEM of the authorities’ roots to believe')
  .option('--json', 'print the verdict as one JSON document')
  .option('--siem <files...>', 'verify what a SIEM exported (JSON lines of OCSF, or CEF) instead of the database')
  .action(async (options: VerifyVerbOptions & { siem?: string[] }) => {
    if (options.siem === undefined) await (await import('./verify.js')).verifyVerb(options);
    else await (await import('./verify-siem.js')).verifySiemVerb({ ...options, siem: options.siem });
  });
const archive = program
  .command('archive')
  .description('write old partitions of the audit log to the archive, verify them there and take them off the database')
  .option('--dir <dir>', 'folder of the archives (default: audit.archive.dir)')
  .option('--dry-run', 'tell what would be done and why the rest stays')
  .action(verb(() => import('./archive.js'), 'archiveVerb'));
archive
  .command('restore')
  .description('bring archived records back to be read and searched')
  .requiredOption('--first <n>', 'number of the first record of the archive')
  .action(async (_, command: Command) => (await import('./archive.js')).restoreVerb(command.optsWithGlobals()));
archive
  .command('release')
  .description('let restored records go again')
  .requiredOption('--first <n>', 'number of the first record of the archive')
  .action(async (_, command: Command) => (await import('./archive.js')).releaseVerb(command.optsWithGlobals()));
program
  .command('verify-receipt')
  .argument('<file>')
  .description('check a receipt (.tlog-proof) without gateway or database')
  .requiredOption('--key <key...>', 'public keys of the log: vkeys, or files of them')
  .option('--json', 'print the answer as one JSON document')
  .action(verb(() => import('./verify-receipt.js'), 'verifyReceiptVerb'));
program
  .command('new-origin')
  .argument('<name>')
  .description('after a restore to an earlier point: begin the log under another name, with every instance stopped')
  .requiredOption('--reason <text>', 'why, for the first record under the new name')
  .action(verb(() => import('./new-origin.js'), 'newOriginVerb'));
program
  .command('export')
  .description('write the audit log as a file: every numbered record, or those that the options choose')
  .requiredOption('--format <format>', 'jsonl, csv or ocsf')
  .option('--from <instant>', 'records from this instant on, such as 2026-03-10T08:00:00.000Z')
  .option('--to <instant>', 'records before this instant')
  .option('--from-seq <number>', 'records from this number on')
  .option('--to-seq <number>', 'records before this number')
  .option('--client <id>')
  .option('--verification <id>')
  .option('--subject <pseudonym>')
  .option('--kind <kind>')
  .option('--outcome <outcome>')
  .option('--rule <rule>')
  .option('--out <file>', 'write to a file, which stands when the export is whole; unset: to the standard output')
  .action(verb(() => import('./export.js'), 'exportVerb'));
program
  .command('usage')
  .description('the usage figures')
  .command('rebuild')
  .description('count the log again from its first record and put the figures in the place of those in use')
  .action(verb(() => import('./usage.js'), 'usageRebuildVerb'));
program
  .command('keygen')
  .argument('<dir>')
  .description('make the master key and the log key in a folder')
  .action(verb(() => import('./keygen.js'), 'keygenVerb'));
program
  .command('check')
  .argument('<file>')
  .description('check a gatehouse.yaml and tell what it sets')
  .action(verb(() => import('./check.js'), 'checkVerb'));
program
  .command('replay-erasures')
  .option('--journal <file>', 'journal of erasures; by default erasures.jsonl in the data folder')
  .description('after a restore: erase again whoever was erased since the backup')
  .action(verb(() => import('./replay-erasures.js'), 'replayErasuresVerb'));
program
  .command('demo')
  .description('tell the story of a bank onboarding, against a system it starts itself or a running one')
  .option('--url <url>', 'public address of a running development system (its data folder is GATEHOUSE_DATA_DIR)')
  .action(verb(() => import('./demo/demo.js'), 'demoVerb'));
const drill = program.command('drill').description('rehearsed faults: play a scenario, measure, report');
drill
  .command('list')
  .description('the scenarios that ship')
  .action(verb(() => import('./drill/verbs.js'), 'drillListVerb'));
drill
  .command('check')
  .argument('<file>')
  .description('check a scenario; each fault in it is pointed at')
  .action(verb(() => import('./drill/verbs.js'), 'drillCheckVerb'));
drill
  .command('run')
  .argument('<scenarios...>', 'names of scenarios that ship, or files')
  .description('play scenarios on a system of their own; exits 0 when every expectation was met')
  .option('--out <dir>', 'write the report there, as HTML and JSON')
  .option('--json', 'print the report as one JSON document')
  .option(
    '--url <url>',
    'admin address of a running gateway: its vendor faults there, once another person has approved',
  )
  .option('--client <id...>', 'with --url: only the calls of these clients')
  .option('--file-at <url>', 'admin address of a running gateway that keeps the report for another person to sign')
  .action(verb(() => import('./drill/verbs.js'), 'drillRunVerb'));
drill
  .command('stop')
  .description('the kill switch: stop every drill of a running gateway, on every instance, within a second')
  .requiredOption('--url <url>', 'admin address of the gateway')
  .action(verb(() => import('./drill/verbs.js'), 'drillStopVerb'));
program
  .command('references')
  .argument('<dir>')
  .description('write the generated reference pages to a folder')
  .action(verb(() => import('./references.js'), 'referencesVerb'));

try {
  await program.parseAsync(process.argv);
} catch (error) {
  const { ConfigError } = await import('../platform/index.js');
  const { startFailure } = await import('../start/index.js');
  process.stderr.write(`${error instanceof ConfigError ? `gatehouse: ${error.message}` : startFailure(error)}\n`);
  process.exitCode = 1;
}
