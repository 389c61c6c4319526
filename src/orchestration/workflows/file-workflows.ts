import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { type Config, CONFIG, ConfigError } from '../../platform/index.js';
import { checkDefinition } from './checker.js';
import { stepName } from './conditions.js';
import { definitionSchema, type WrittenDefinition } from './definition.js';
import { WorkflowStore } from './workflow-store.js';
import { WorkflowWriter } from './workflow-writer.js';

const SETTING = 'workflows.definitions';

/** The workflows that the settings hold. @throws ConfigError naming the first fault by its pointer */
export function workflowsOf(config: Pick<Config, 'workflows'>): Map<string, WrittenDefinition> {
  const found = new Map<string, WrittenDefinition>();
  for (const [name, written] of Object.entries(config.workflows.definitions)) {
    if (!stepName().safeParse(name).success) throw new ConfigError(`${name} is no name of a workflow`, SETTING);
    const parsed = definitionSchema.safeParse(written);
    const [fault] = parsed.success
      ? checkDefinition(parsed.data)
      : parsed.error.issues.map(({ path, message }) => ({
          pointer: path.map((part) => `/${String(part)}`).join(''),
          message,
        }));
    if (fault !== undefined) throw new ConfigError(`${fault.pointer} ${fault.message}`, `${SETTING}.${name}`);
    found.set(name, written as WrittenDefinition);
  }
  return found;
}

/** Publishes what the settings say anew: a definition that is in force already stays as it is. */
@Injectable()
export class FileWorkflows implements OnApplicationBootstrap {
  readonly #workflows: ReadonlyMap<string, WrittenDefinition>;

  constructor(
    private readonly store: WorkflowStore,
    private readonly writer: WorkflowWriter,
    @Inject(CONFIG) config: Config,
  ) {
    this.#workflows = workflowsOf(config);
  }

  async onApplicationBootstrap(): Promise<void> {
    for (const [name, definition] of this.#workflows) {
      await this.store.transaction(async (tx) => {
        await this.store.lock(tx);
        const before = await this.store.holdPublished(tx, name);
        if (isDeepStrictEqual(before?.definition, JSON.parse(JSON.stringify(definition)))) return;
        const row = await this.writer.draft(tx, { source: 'file' }, name, definition);
        await this.writer.publish(tx, { source: 'file' }, row);
      });
    }
  }
}
