import { setTimeout as sleep } from 'node:timers/promises';
import type { DrillReport } from '../report/schema.js';
import { software } from '../report/software.js';
import type { ReadScenario } from '../scenario/read.js';
import type { Scenario, ScenarioFault } from '../scenario/schema.js';
import { Timetable } from '../timetable.js';
import { countBy, fellBack, latenessMs, recoveredMs, timeline } from './figures.js';
import { judge } from './judge.js';
import { Load } from './load.js';
import { doubled, lost, undecided } from './settling.js';
import type { Noticed, Stage } from './stage.js';
import { vendorFigures } from './vendor-figures.js';

const LOOK_EVERY_MS = 100;
/** What is noticed later than the end of the load by more than this was not noticed. */
const LATE_NOTICE_MS = 2_000;

type Timed = ScenarioFault & { fromMs: number; forMs: number | undefined };
type Tell = (line: string) => void;

/** Plays a scenario on a stage: puts the faults to work in their time under the load, measures, judges. The stage stays up. */
export async function play({ scenario, digest }: ReadScenario, stage: Stage, tell: Tell): Promise<DrillReport> {
  await stage.prepare(scenario.system);
  const load = new Load(stage.caller, scenario.load, stage.finish);
  await stage.caller.takeTokens();
  await load.prepare();
  const errors: unknown[] = [];
  let vendorWellMs = Infinity;
  const faults = scenario.faults.map((fault): Timed => ({ ...fault, fromMs: fault.from, forMs: fault.for }));
  const timetable = new Timetable(
    faults,
    async (active) => {
      tell(`at work: ${active.map(named).join(', ') || 'no fault any more'}`);
      await stage.apply(active);
      if (!active.some(({ at }) => at === 'vendor')) vendorWellMs = Date.now();
    },
    (error) => errors.push(error),
  );
  const { firstMs, lastMs } = spans(scenario);
  const startedAt = new Date();
  const ended = new AbortController();
  timetable.begin();
  const notice = watchNotice(stage, new Date(startedAt.getTime() + firstMs), ended.signal);
  await load.run();
  await timetable.end();
  const lateNotice = setTimeout(() => ended.abort(), LATE_NOTICE_MS);
  const noticed = await notice;
  clearTimeout(lateNotice);
  ended.abort();
  if (errors[0] !== undefined) throw errors[0];
  const endedAt = new Date();
  tell('the load is over; what was promised is looked for');
  const { expect } = scenario;
  const { outcomes } = load;
  const missing = await lost(stage, outcomes, expect.recoveredWithin);
  const late = await undecided(stage.caller, load.finished, expect.decidedWithin ?? 0);
  const fallback = fellBack(outcomes, firstMs);
  const vendor = await vendorFigures(stage, scenario, startedAt, vendorWellMs);
  const measured: DrillReport['measured'] = {
    latestAnswerMs: outcomes.length === 0 ? null : Math.max(...outcomes.map(latenessMs)),
    timeToDetectMs: noticed === undefined ? null : Math.max(0, noticed.at.getTime() - startedAt.getTime() - firstMs),
    detectedBy: noticed?.by ?? null,
    timeToFallBackMs: fallback?.ms ?? null,
    fellBackTo: fallback?.to ?? null,
    timeToRecoverMs: recoveredMs(outcomes, lastMs) ?? null,
    lost: missing.length,
    doubled: (await doubled(stage, outcomes, startedAt)) ?? null,
    ...vendor.measured,
    calls: {
      attemptsAtTheVendor: vendor.attempts,
      finishedAtTheVendor: load.finished.length,
      undecided: late.length,
    },
  };
  const expectations = judge(scenario, { outcomes, measured, probings: vendor.probings, undecided: late.length });
  return {
    v: 1,
    scenario: { name: scenario.name, purpose: scenario.purpose, articles: scenario.articles, digest },
    place: stage.place,
    software: software(),
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    faults: scenario.faults.map(faultOf),
    load: {
      perSecond: scenario.load.perSecond,
      seconds: scenario.load.for / 1_000,
      deadlineMs: scenario.load.deadline,
      sent: countBy(outcomes, ({ kind }) => kind),
      answered: outcomes.filter(({ status }) => status !== 0).length,
    },
    measured,
    answers: {
      byCode: countBy(outcomes, ({ status }) => (status === 0 ? 'none' : String(status))),
      byRung: countBy(outcomes, ({ rung }) => rung),
    },
    expectations,
    timeline: timeline(outcomes),
    events: [...eventsOf(scenario, measured, firstMs, lastMs), ...vendor.events].sort(
      (one, other) => one.atMs - other.atMs,
    ),
    passed: expectations.every(({ met }) => met),
  };
}

/** First beginning and last end of the faults. */
function spans({ faults, load }: Scenario) {
  const end = (fault: ScenarioFault): number => Math.min(load.for, fault.from + (fault.for ?? load.for));
  return { firstMs: Math.min(...faults.map(({ from }) => from)), lastMs: Math.max(...faults.map(end)) };
}

/** The first sign in the gateway's own books; they may be closed while the fault lasts and tell of it afterwards. */
async function watchNotice(stage: Stage, since: Date, signal: AbortSignal): Promise<Noticed | undefined> {
  while (!signal.aborted) {
    const noticed = Date.now() < since.getTime() ? undefined : await stage.noticed(since).catch(() => undefined);
    if (noticed !== undefined) return noticed;
    await sleep(LOOK_EVERY_MS);
  }
  return undefined;
}

function named({ at, fault }: ScenarioFault): string {
  return `${fault.kind} at ${at}`;
}

function faultOf({ at, fault, from, for: forMs, ...aim }: ScenarioFault): DrillReport['faults'][number] {
  const { kind, ...settings } = fault;
  const given = Object.entries({ ...settings, ...aim }).filter(([, value]) => value !== undefined);
  return {
    at,
    kind,
    fromMs: from,
    forMs: forMs ?? null,
    settings: Object.fromEntries(given) as DrillReport['faults'][number]['settings'],
  };
}

function eventsOf(
  { faults }: Scenario,
  { timeToDetectMs, detectedBy, timeToFallBackMs, fellBackTo, timeToRecoverMs }: DrillReport['measured'],
  firstMs: number,
  lastMs: number,
): DrillReport['events'] {
  const events: DrillReport['events'] = faults.flatMap((fault) => [
    { atMs: fault.from, what: `begins: ${named(fault)}` },
    ...(fault.for === undefined ? [] : [{ atMs: fault.from + fault.for, what: `ends: ${named(fault)}` }]),
  ]);
  if (timeToDetectMs !== null) events.push({ atMs: firstMs + timeToDetectMs, what: `noticed: ${detectedBy}` });
  if (timeToFallBackMs !== null) events.push({ atMs: firstMs + timeToFallBackMs, what: `fell back: ${fellBackTo}` });
  if (timeToRecoverMs !== null) events.push({ atMs: lastMs + timeToRecoverMs, what: 'normal service again' });
  return events;
}
