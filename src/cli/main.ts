#!/usr/bin/env node
import { Command } from 'commander';
import { ConfigError } from '../platform/index.js';
import { start, startFailure } from '../start/index.js';
import { bootstrapVerb } from './bootstrap.js';
import { checkVerb } from './check.js';
import { demoVerb } from './demo/demo.js';
import { exportVerb } from './export.js';
import { keygenVerb } from './keygen.js';
import { migrateVerb } from './migrate.js';
import { referencesVerb } from './references.js';
import { usageRebuildVerb } from './usage.js';
import { verifyVerb } from './verify.js';

const program = new Command('gatehouse')
  .description('The gateway between a regulated firm and its identity-verification vendor.')
  .showHelpAfterError();

program
  .command('start')
  .description('start the gateway, as npm start does')
  .action(() => start(process.env));
program
  .command('bootstrap')
  .description('migrate, then make the first administrator and client; prints their secrets once')
  .option('--json', 'print one JSON document as the last line')
  .action(bootstrapVerb);
program.command('migrate').description('bring the database up to date as the migrating role').action(migrateVerb);
program
  .command('verify')
  .description('recompute the audit log from its stored bytes; exits non-zero at the first bad record')
  .option('--json', 'print the verdict as one JSON document')
  .action(verifyVerb);
program
  .command('export')
  .description('write the audit log as a file: every numbered record, or those that the options choose')
  .requiredOption('--format <format>', 'jsonl or csv')
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
  .action(exportVerb);
program
  .command('usage')
  .description('the usage figures')
  .command('rebuild')
  .description('count the log again from its first record and put the figures in the place of those in use')
  .action(usageRebuildVerb);
program
  .command('keygen')
  .argument('<dir>')
  .description('make the master key and the log key in a folder')
  .action(keygenVerb);
program
  .command('check')
  .argument('<file>')
  .description('check a gatehouse.yaml and tell what it sets')
  .action(checkVerb);
program
  .command('demo')
  .description('tell the story of a bank onboarding, against a system it starts itself or a running one')
  .option('--url <url>', 'public address of a running development system (its data folder is GATEHOUSE_DATA_DIR)')
  .action(demoVerb);
program
  .command('references')
  .argument('<dir>')
  .description('write the generated reference pages to a folder')
  .action(referencesVerb);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.stderr.write(`${error instanceof ConfigError ? `gatehouse: ${error.message}` : startFailure(error)}\n`);
  process.exitCode = 1;
}
