import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSpecHouse, type SpecHouse } from '../testing/spec-house.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationStore } from '../verifications/verification-store.js';
import type { Condition } from './conditions.js';
import { ladderOf } from './definition.js';
import { RUN_LEASE_MS, WorkflowEngine } from './engine.js';
import { RunCreator } from './run-creator.js';
import { RunStore, type StepRow } from './run-store.js';
import { isRepeatable } from './settlement.js';
import { STEP_TRANSITIONS } from './step-states.js';
import { driveMortal, Effects, type Scripted } from './testing/mortal-engine.js';
import { randomWorkflow, Tape } from './testing/random-workflow.js';
import { Uploads } from './uploads.js';
import { type Workflow, WorkflowCatalogue } from './workflow-catalogue.js';
import { WorkflowStore } from './workflow-store.js';
import { WorkflowWriter } from './workflow-writer.js';

const CASES = Number(process.env['GATEHOUSE_WORKFLOW_CASES'] ?? 20);
const MOST_ROUNDS = 400;
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]);

/** Written apart from the engine's own, and as plainly as it can be. */
function reference(condition: Condition, steps: readonly StepRow[], script: ReadonlyMap<string, Scripted>): boolean {
  const answered = (name: string): boolean => {
    const step = steps.find((one) => one.name === name);
    return step !== undefined && step.reason === null && step.state !== 'skipped';
  };
  if ('all' in condition) return !condition.all.some((part) => !reference(part, steps, script));
  if ('any' in condition) return condition.any.filter((part) => reference(part, steps, script)).length > 0;
  if ('not' in condition) return !reference(condition.not, steps, script);
  if ('upload' in condition) return condition.given;
  if ('field' in condition) {
    const score = script.get(condition.step)?.score ?? Number.NEGATIVE_INFINITY;
    return answered(condition.step) && score >= (condition.atLeast ?? 0);
  }
  const state = steps.find((one) => one.name === condition.step)?.state;
  return (Array.isArray(condition.is) ? condition.is : [condition.is]).some((end) => end === state);
}

describe('random workflows under random faults', () => {
  let house: SpecHouse;
  const one = <T>(type: abstract new (...args: never[]) => T): T => house.get(type as never, { strict: false });

  beforeAll(async () => {
    house = await openSpecHouse();
    // The house's own engine stands still: each run here is driven by engines that die.
    vi.spyOn(one(WorkflowEngine), 'claimDue').mockResolvedValue([]);
  });
  afterAll(() => house.stop());

  async function publish(tape: Tape): Promise<Workflow> {
    const name = `w-${randomUUID()}`;
    await one(WorkflowStore).transaction(async (tx) => {
      const row = await one(WorkflowWriter).draft(tx, { source: 'file' }, name, randomWorkflow(tape));
      await one(WorkflowWriter).publish(tx, { source: 'file' }, row);
    });
    return one(WorkflowCatalogue).version(name, 1);
  }

  async function start(workflow: Workflow): Promise<string> {
    const client = randomUUID();
    const body: CreateBody = {
      workflow: workflow.name,
      subject: { reference: `s-${randomUUID()}`, relationship: 'customer' },
    };
    const row = await one(RunCreator).create(await house.write(client, randomUUID(), body), body, workflow);
    for (const name of Object.keys(workflow.definition.uploads))
      await one(Uploads).keep(house.call(client), row.id, name, Readable.from([JPEG]), 'image/jpeg');
    return row.id;
  }

  const rowOf = (id: string) =>
    one(VerificationStore).transaction(async (tx) => {
      const row = await one(VerificationStore).lock(tx, id);
      if (row === null) throw new Error('lost');
      return { row, steps: await one(RunStore).steps(tx, id), uploads: await one(RunStore).uploads(tx, id) };
    });

  it('end, do nothing twice that must not be, leave a record of each move, and come out as a reference says', async () => {
    const seen = { deaths: 0, ends: new Set<string>() };
    const tapes = fc.tuple(
      fc.array(fc.nat(9_999), { minLength: 120, maxLength: 120 }),
      fc.array(fc.nat(9_999), { minLength: 12, maxLength: 60, size: 'max' }),
    );
    await fc.assert(
      fc.asyncProperty(tapes, async ([shape, faults]) => {
        const form = new Tape(shape);
        const workflow = await publish(form);
        const { definition } = workflow;
        const script = new Map(
          definition.steps.map(({ name }) => [
            name,
            { end: form.pick(['passed', 'passed', 'failed', 'review'] as const), score: form.next(100) },
          ]),
        );
        const effects = new Effects();
        const id = await start(workflow);
        const mortal = {
          get: house.get as never,
          database: house.database,
          clock: house.clock,
          tape: new Tape(faults),
          script,
          effects,
        };
        let rounds = 0;
        for (; (await rowOf(id)).row.status === 'in-progress' && rounds < MOST_ROUNDS; rounds += 1) {
          if ((await driveMortal(mortal)) === 'died') seen.deaths += 1;
          house.clock.advance(RUN_LEASE_MS);
        }
        const { row, steps, uploads } = await rowOf(id);
        seen.ends.add(row.status);

        // It ends, as a reference evaluation of where its steps ended says.
        const failing = steps.some(({ state }) => state === 'error');
        const rule = definition.outcome.find(({ when }) => when === undefined || reference(when, steps, script));
        expect(row.status).toBe(failing ? 'failed' : rule?.is);
        for (const [at, step] of steps.entries()) {
          const own = definition.steps[at];
          const runs = own?.when === undefined || reference(own.when, steps, script);
          if (!failing) expect([step.name, step.state === 'skipped']).toEqual([step.name, !runs]);
          if (own === undefined) throw new Error('each step is defined');
          // What the vendor said is what stands there; where it said nothing, a rung of the ladder does.
          if (step.reason === null) expect(step.state).toBe(script.get(step.name)?.end);
          else if (step.state === 'review') expect(ladderOf(definition, own)).toContain('manual');
          // What is billed for each time is done once at most.
          const repeatable = isRepeatable(own);
          if (!repeatable) expect(effects.done.get(step.name) ?? 0).toBeLessThanOrEqual(1);
          if (step.reason === null) expect(effects.done.get(step.name) ?? 0).toBeGreaterThanOrEqual(1);
        }

        // Each move has its record: together they lead from the first state to the last, along the table.
        const records = await house.records(id);
        for (const step of steps) {
          const moves = records
            .filter(({ kind }) => kind === 'verification.transition')
            .map(({ detail }) => detail as Record<string, string>)
            .filter((detail) => detail['step'] === step.name);
          const balance = new Map<string, number>();
          for (const { from = '', to = '', event = '' } of moves) {
            expect(STEP_TRANSITIONS[from as 'waiting'][event as 'sent']).toBe(to);
            balance.set(from, (balance.get(from) ?? 0) + 1);
            balance.set(to, (balance.get(to) ?? 0) - 1);
          }
          const odd = [...balance].filter(([, n]) => n !== 0).sort(([, a], [, b]) => b - a);
          expect(odd).toEqual([
            ['waiting', 1],
            [step.state, -1],
          ]);
          const intents = records.filter(
            ({ kind, detail }) => kind === 'vendor.intent' && (detail as { step: string }).step === step.name,
          );
          expect(intents).toHaveLength(step.attempts);
          // An intent without its end would be told as of unknown outcome.
          const ids = new Set(records.map((record) => record['id']));
          expect(intents.every(({ call }) => ids.has(call))).toBe(true);
        }

        // Nothing of the person is left but the decision.
        expect(steps.every(({ result, attempt }) => result === null && attempt === null)).toBe(true);
        expect(uploads.every(({ item }) => item === null)).toBe(true);
        const left = await house.database.query('SELECT purpose FROM platform.vault WHERE owner = $1', [
          `subject:${row.subject}`,
        ]);
        expect(left).toEqual([{ purpose: 'decision' }]);
      }),
      {
        numRuns: CASES,
        endOnFailure: true,
        ...(process.env['GATEHOUSE_SEED'] ? { seed: Number(process.env['GATEHOUSE_SEED']) } : {}),
      },
    );
    // The faults were met, and not only good ends.
    expect(seen.deaths).toBeGreaterThan(0);
    expect(seen.ends.size).toBeGreaterThan(1);
  }, 240_000);
});
