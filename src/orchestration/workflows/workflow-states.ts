export const WORKFLOW_STATES = ['draft', 'published', 'retired'] as const;
export type WorkflowState = (typeof WORKFLOW_STATES)[number];

export type WorkflowEvent =
  | 'published'
  /** A later version was published in its place. */
  | 'superseded'
  | 'retired';

type Row = Readonly<Partial<Record<WorkflowEvent, WorkflowState>>>;

/** The life of a version of a workflow. What runs on it stays on it, whatever becomes of the version. */
export const WORKFLOW_TRANSITIONS: Readonly<Record<WorkflowState, Row>> = {
  draft: { published: 'published', retired: 'retired' },
  published: { superseded: 'retired', retired: 'retired' },
  retired: {},
};
