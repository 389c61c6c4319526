import type { FieldError } from '../../platform/index.js';
import { OPERATIONS } from '../../vendors/index.js';
import { type Condition, mentioned } from './conditions.js';
import type { Definition, StepDefinition } from './definition.js';
import { ancestorsOf, inOrder } from './graph.js';
import { neverRuns } from './reach.js';
import { type PictureInput, stepOperation } from './step-operations.js';
import { type Source, sourcesOf } from './sources.js';

const DEEPEST = 8;

/** What no schema can say of a definition: each fault with the pointer of its place. Nothing for a sound one. */
export function checkDefinition(definition: Definition): FieldError[] {
  const errors: FieldError[] = [...names(definition), ...graph(definition)];
  for (const [at, step] of definition.steps.entries()) errors.push(...stepFaults(definition, step, `/steps/${at}`));
  errors.push(...unusedUploads(definition), ...outcome(definition), ...hosted(definition));
  // What can never run is told of sound definitions only: everything else would be a consequence.
  if (errors.length === 0)
    for (const at of neverRuns(definition))
      errors.push(fault(`/steps/${at}/when`, 'can never hold, so that the step is never reached'));
  return errors;
}

const fault = (pointer: string, message: string): FieldError => ({ pointer, message });

function* names({ steps }: Definition): Generator<FieldError> {
  const seen = new Set<string>();
  for (const [at, { name }] of steps.entries()) {
    if (seen.has(name)) yield fault(`/steps/${at}/name`, 'is the name of an earlier step, too');
    seen.add(name);
  }
}

function* graph({ steps }: Definition): Generator<FieldError> {
  const known = new Set(steps.map(({ name }) => name));
  for (const [at, { after }] of steps.entries()) {
    for (const [n, name] of after.entries())
      if (!known.has(name)) yield fault(`/steps/${at}/after/${n}`, 'names no step of this workflow');
  }
  const placed = new Set(
    inOrder(steps.map((step) => ({ ...step, after: step.after.filter((name) => known.has(name)) }))).map(
      ({ name }) => name,
    ),
  );
  for (const [at, { name }] of steps.entries()) {
    if (placed.has(name)) continue;
    const cycle = ancestorsOf(steps, name).has(name);
    yield fault(`/steps/${at}/after`, cycle ? 'closes a cycle' : 'stands behind a cycle and is never reached');
  }
}

function* stepFaults(definition: Definition, step: StepDefinition, pointer: string): Generator<FieldError> {
  const before = ancestorsOf(definition.steps, step.name);
  if (step.when !== undefined) yield* conditionFaults(definition, step.when, `${pointer}/when`, before);
  for (const [name, source] of Object.entries(step.input))
    yield* namesFaults(definition, sourcesOf(source, `${pointer}/input/${name}`), before);
  yield* operationFaults(definition, step, pointer);
  const rung = step.fallback?.indexOf('cached') ?? -1;
  if (rung >= 0 && changes(step))
    yield fault(`${pointer}/fallback/${rung}`, 'a new check is never answered from what is kept');
  if (step.fallback === undefined && definition.fallback.includes('cached') && changes(step))
    yield fault('/fallback', 'cached is not for a workflow with new checks in it');
}

function changes({ operation }: StepDefinition): boolean {
  const known = stepOperation(operation);
  return known !== undefined && OPERATIONS[known.operation].changes;
}

function* conditionFaults(
  definition: Definition,
  condition: Condition,
  pointer: string,
  before: ReadonlySet<string>,
): Generator<FieldError> {
  if (depthOf(condition) > DEEPEST) yield fault(pointer, `is nested deeper than ${DEEPEST} levels`);
  else yield* namesFaults(definition, mentioned(condition, pointer), before);
}

function depthOf(condition: Condition): number {
  if ('not' in condition) return 1 + depthOf(condition.not);
  if ('all' in condition) return 1 + Math.max(0, ...condition.all.map(depthOf));
  return 'any' in condition ? 1 + Math.max(0, ...condition.any.map(depthOf)) : 1;
}

function* namesFaults(
  { steps, uploads }: Definition,
  places: Iterable<{ kind: 'step' | 'upload'; name: string; pointer: string }>,
  before: ReadonlySet<string>,
): Generator<FieldError> {
  for (const { kind, name, pointer } of places) {
    if (kind === 'upload') {
      if (!Object.hasOwn(uploads, name)) yield fault(pointer, 'names no upload of this workflow');
    } else if (!steps.some((step) => step.name === name)) yield fault(pointer, 'names no step of this workflow');
    else if (!before.has(name)) yield fault(pointer, 'names a step that need not have ended by then');
  }
}

function* operationFaults(definition: Definition, step: StepDefinition, pointer: string): Generator<FieldError> {
  const operation = stepOperation(step.operation);
  if (operation === undefined) {
    yield fault(`${pointer}/operation`, 'is no operation that a step can use');
    return;
  }
  for (const name of Object.keys(operation.needs))
    if (!Object.hasOwn(step.input, name)) yield fault(`${pointer}/input`, `needs ${name}`);
  for (const [name, source] of Object.entries(step.input)) {
    const takes = new Map(Object.entries({ ...operation.needs, ...operation.takes })).get(name);
    const at = `${pointer}/input/${name}`;
    if (takes === undefined) yield fault(at, `is nothing that ${step.operation} takes`);
    else if (takes === 'text') {
      if (picks(source)) yield fault(at, 'takes a value and no upload');
    } else yield* pictureFaults(definition, source, takes, at);
  }
}

/** Whether an upload stands anywhere in the source. */
function picks(source: Source): boolean {
  return [...sourcesOf(source, '')].some(({ kind }) => kind === 'upload');
}

function* pictureFaults(
  { uploads }: Definition,
  source: Source,
  takes: PictureInput,
  pointer: string,
): Generator<FieldError> {
  const wanted = 'firstOf' in source ? source.firstOf : [source];
  for (const one of wanted) {
    if (!('upload' in one)) {
      yield fault(pointer, 'takes an upload');
      continue;
    }
    const upload = Object.hasOwn(uploads, one.upload) ? uploads[one.upload] : undefined;
    if (upload === undefined) continue;
    const strange = upload.mediaTypes.filter((type) => !takes.types.includes(type));
    if (strange.length > 0)
      yield fault(`/uploads/${one.upload}/mediaTypes`, `${pointer} takes no ${strange.join(', ')}`);
    if (upload.maxBytes > takes.maxBytes)
      yield fault(`/uploads/${one.upload}/maxBytes`, `${pointer} takes at most ${takes.maxBytes}`);
  }
}

function* unusedUploads({ uploads, steps }: Definition): Generator<FieldError> {
  const used = new Set(
    steps.flatMap(({ input }) =>
      Object.values(input).flatMap((source) => [...sourcesOf(source, '')].map(({ kind, name }) => `${kind} ${name}`)),
    ),
  );
  for (const name of Object.keys(uploads))
    if (!used.has(`upload ${name}`)) yield fault(`/uploads/${name}`, 'is used by no step');
}

function* outcome(definition: Definition): Generator<FieldError> {
  const { outcome: rules, steps } = definition;
  const all = new Set(steps.map(({ name }) => name));
  const last = rules.findIndex(({ when }) => when === undefined);
  for (const [at, { when }] of rules.entries()) {
    if (when !== undefined) yield* conditionFaults(definition, when, `/outcome/${at}/when`, all);
    if (last >= 0 && at > last) yield fault(`/outcome/${at}`, 'stands behind a rule that always holds');
  }
  if (last < 0) yield fault('/outcome', 'is not total: the last rule must hold without a condition');
}

function* hosted({ steps, outcome: rules, uploads }: Definition): Generator<FieldError> {
  const at = steps.findIndex(({ operation }) => stepOperation(operation)?.hosted === true);
  if (at >= 0 && (steps.length > 1 || Object.keys(uploads).length > 0))
    yield fault(`/steps/${at}`, 'a hosted session is the only step of its workflow, without uploads');
  for (const [n, { is }] of rules.entries()) {
    if ((is === 'as-vendor') !== at >= 0)
      yield fault(
        `/outcome/${n}/is`,
        at >= 0 ? 'a hosted session ends as-vendor' : 'as-vendor is for a hosted session',
      );
  }
}
