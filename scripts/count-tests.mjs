// Adds up vitest's JSON reports into one plain line, "N passed, N failed, N skipped", and fails where a test failed or none was run.
import { readFileSync } from 'node:fs';

const reports = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
const sum = (count) => reports.reduce((total, report) => total + count(report), 0);
// A file that cannot be loaded reports no test of its own.
const unloadable = (report) =>
  report.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);

const passed = sum((report) => report.numPassedTests);
const failed = sum((report) => report.numFailedTests + unloadable(report).length);
const skipped = sum((report) => report.numPendingTests + report.numTodoTests);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = passed === 0 || failed > 0 ? 1 : 0;
