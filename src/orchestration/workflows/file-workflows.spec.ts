import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../platform/index.js';
import { openSpecHouse, type SpecHouse } from '../testing/spec-house.js';
import { FileWorkflows, workflowsOf } from './file-workflows.js';
import { WorkflowStore } from './workflow-store.js';
import { WorkflowWriter } from './workflow-writer.js';

const dir = mkdtempSync(join(tmpdir(), 'gatehouse-workflows-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function configOf(yaml: string) {
  const file = join(dir, 'gatehouse.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ GATEHOUSE_CONFIG: file }, { together: false });
}

const screen = (title: string, operation = 'aml') => `
workflows:
  onboarding: { keepDecision: 30d }
  definitions:
    screen:
      title: ${title}
      steps: [{ name: a, operation: ${operation}, input: { full_name: { expected: lastName } } }]
      outcome: [{ when: { step: a, is: failed }, is: declined }, { is: approved }]
`;

describe('workflows in the settings', () => {
  it('are refused by the name of the workflow and the pointer in it', () => {
    expect(() => workflowsOf(configOf(screen('Tea', 'tea')))).toThrow(
      'workflows.definitions.screen: /steps/0/operation is no operation that a step can use',
    );
    expect(() => workflowsOf(configOf('workflows: { definitions: { x: { steps: [] } } }'))).toThrow(
      /^workflows\.definitions\.x: \/(steps|outcome) /,
    );
    expect(() => workflowsOf(configOf('workflows: { definitions: { Screen: {} } }'))).toThrow(
      'is no name of a workflow',
    );
  });

  describe('at the start', () => {
    let house: SpecHouse;
    beforeAll(async () => {
      house = await openSpecHouse();
    });
    afterAll(() => house.stop());

    it('are published as the next version where they differ from the one in force', async () => {
      const store = house.get(WorkflowStore, { strict: false });
      const start = (title: string) =>
        new FileWorkflows(
          store,
          house.get(WorkflowWriter, { strict: false }),
          configOf(screen(title)),
        ).onApplicationBootstrap();
      const states = async () =>
        (await store.page({ name: 'screen', state: undefined, after: undefined, limit: 10 })).map(
          ({ version, state, source }) => `${version} ${state} ${source}`,
        );
      await Promise.all([start('One'), start('One')]);
      expect(await states()).toEqual(['1 published file']);
      await start('Two');
      await start('Two');
      expect(await states()).toEqual(['2 published file', '1 retired file']);
    });
  });
});
