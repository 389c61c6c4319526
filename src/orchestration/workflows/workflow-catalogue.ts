import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/index.js';
import { type Definition, definitionSchema } from './definition.js';
import { stepOperation } from './step-operations.js';
import { WorkflowStore } from './workflow-store.js';

/** For how long what is published is taken from memory: another instance's publishing is seen here within it. */
const FRESH_MS = 1_000;
const MOST_KEPT = 1_000;

/** A definition with its name and version: it never changes. */
export interface Workflow {
  name: string;
  version: number;
  definition: Definition;
  /** Whether a session at the vendor's own page does it all. */
  hosted: boolean;
}

/** Workflows for those who run them. */
@Injectable()
export class WorkflowCatalogue {
  #published: ReadonlyMap<string, number> = new Map();
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  readonly #versions = new Map<string, Workflow>();

  constructor(
    private readonly store: WorkflowStore,
    private readonly clock: Clock,
  ) {}

  /** The version in force, at most a second old; undefined when none is. */
  async published(name: string): Promise<Workflow | undefined> {
    if (this.monotonicMs() - this.#askedAt >= FRESH_MS) await this.ask();
    const version = this.#published.get(name);
    return version === undefined ? undefined : this.version(name, version);
  }

  /** Any version, for what runs on it. @throws when there is none, which would be a defect */
  async version(name: string, version: number): Promise<Workflow> {
    const key = `${name} ${version}`;
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    const row = await this.store.find(name, version);
    if (row === undefined || row.state === 'draft')
      throw new Error('a verification runs on a version that is not there');
    const definition = definitionSchema.parse(row.definition);
    const hosted = definition.steps.some((step) => stepOperation(step.operation)?.hosted === true);
    const workflow = { name, version, definition, hosted };
    const [oldest] = this.#versions.keys();
    if (this.#versions.size >= MOST_KEPT && oldest !== undefined) this.#versions.delete(oldest);
    this.#versions.set(key, workflow);
    return workflow;
  }

  /** What this instance has published itself is seen at once. */
  forget(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  private async ask(): Promise<void> {
    this.#asking ??= this.load().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  private async load(): Promise<void> {
    const at = this.monotonicMs();
    this.#published = await this.store.published();
    this.#askedAt = at;
  }

  private monotonicMs(): number {
    return Number(this.clock.monotonic() / 1_000_000n);
  }
}
