import type { WrittenDefinition } from './definition.js';
import type { WorkflowRow } from './workflow-store.js';
import type { WorkflowState } from './workflow-states.js';

/** A version of a workflow as administrators see it. */
export interface WorkflowView {
  name: string;
  version: number;
  state: WorkflowState;
  source: WorkflowRow['source'];
  definition: WrittenDefinition;
  createdAt: string;
  updatedAt: string;
  publishedAt: string | null;
  retiredAt: string | null;
  revision: number;
}

export function workflowView(row: WorkflowRow): WorkflowView {
  return {
    name: row.name,
    version: row.version,
    state: row.state,
    source: row.source,
    definition: row.definition,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    publishedAt: row.publishedAt?.toISOString() ?? null,
    retiredAt: row.retiredAt?.toISOString() ?? null,
    revision: row.revision,
  };
}
