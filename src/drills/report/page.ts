import { escaped, timelineChart } from './chart.js';
import type { DrillReport } from './schema.js';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1c1c; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
.passed { color: #2e7d4f; } .failed { color: #b23b3b; } code { font-size: .85em; overflow-wrap: anywhere; }
@media print { body { margin: 0; } }
`;

/** The report as a page for people: one file, no script, nothing fetched. @param digest SHA-256 of its JSON, hex */
export function reportPage(report: DrillReport, digest: string): string {
  const { scenario, load, measured, expectations, answers, faults, events } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Drill ${escaped(scenario.name)}</title><style>${STYLE}</style></head><body>
<h1>Drill <em>${escaped(scenario.name)}</em>: <span class="${report.passed ? 'passed' : 'failed'}">${report.passed ? 'passed' : 'not passed'}</span></h1>
<p>${escaped(scenario.purpose)}</p>
<p>Testing evidence under Regulation (EU) 2022/2554 ${escaped(scenario.articles.map((article) => `Article ${article}`).join(', '))}.
From ${report.startedAt} to ${report.endedAt}, on ${report.place === 'own' ? 'a system started for it' : 'the running system'}.
Gatehouse ${escaped(report.software.gatehouse)} on Node.js ${escaped(report.software.node)}.</p>
<h2>Expected and measured</h2>
${table(
  ['', 'what', 'expected', 'measured'],
  expectations.map(({ met, what, expected, measured: found }) => [met ? 'met' : 'NOT MET', what, expected, found]),
)}
<h2>What happened</h2>
${report.timeline.length === 0 ? '' : `<figure>${timelineChart(report)}</figure>`}
${table(
  ['at', 'what'],
  events.map(({ atMs, what }) => [seconds(atMs), what]),
)}
<h2>Faults</h2>
${table(
  ['at', 'fault', 'from', 'for', 'settings'],
  faults.map(({ at, kind, fromMs, forMs, settings }) => [
    at,
    kind,
    seconds(fromMs),
    forMs === null ? 'until the end' : seconds(forMs),
    JSON.stringify(settings),
  ]),
)}
<h2>Figures</h2>
${table(
  ['figure', 'value'],
  [
    [
      'time to detect',
      `${seconds(measured.timeToDetectMs)}${measured.detectedBy === null ? '' : ` (${measured.detectedBy})`}`,
    ],
    [
      'time to fall back',
      `${seconds(measured.timeToFallBackMs)}${measured.fellBackTo === null ? '' : ` (${measured.fellBackTo})`}`,
    ],
    ['time to recover', seconds(measured.timeToRecoverMs)],
    ['latest answer', seconds(measured.latestAnswerMs)],
    ['lost', String(measured.lost ?? 'not measured')],
    ['doubled', String(measured.doubled ?? 'not measured')],
    ['a breaker opened after', seconds(measured.breakerOpenedMs)],
    ['attempts while it was open', String(measured.attemptsWhileOpen ?? 'not measured')],
    ...Object.entries(measured.calls).map(([name, value]) => [name, String(value)]),
  ],
)}
${
  load === null
    ? '<p>No load of the drill’s own: the traffic of the day.</p>'
    : `<p>Load: ${load.perSecond} calls a second for ${load.seconds} s at fixed instants, deadline ${seconds(load.deadlineMs)}; sent ${escaped(figures(load.sent))}; ${load.answered} answered.</p>`
}
<p>Answers by code: ${escaped(figures(answers.byCode))}. By rung: ${escaped(figures(answers.byRung))}.</p>
<h2>Evidence</h2>
<p>SHA-256 of the JSON of this report: <code>${escaped(digest)}</code>. It stands in the audit log in the record <code>drill.reported</code>, and in
<code>drill.signed</code> once a person who did not run the drill has signed it.</p>
</body></html>
`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${escaped(text)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function figures(record: Record<string, number>): string {
  const entries = Object.entries(record).map(([name, value]) => `${name} ${value}`);
  return entries.length === 0 ? 'none' : entries.join(', ');
}

function seconds(ms: number | null): string {
  return ms === null ? 'not seen' : `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}
