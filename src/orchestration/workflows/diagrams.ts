import { STATUSES, TRANSITIONS } from '../verifications/transitions.js';
import { STEP_STATES, STEP_TRANSITIONS } from './step-states.js';
import { WORKFLOW_STATES, WORKFLOW_TRANSITIONS } from './workflow-states.js';

/** A state machine as its table has it. */
export interface Diagram {
  title: string;
  /** The state that everything begins in. */
  first: string;
  states: readonly string[];
  table: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The machines of this module, for the page that draws them from their own tables. */
export const WORKFLOW_DIAGRAMS: readonly Diagram[] = [
  { title: 'A verification', first: 'pending', states: STATUSES, table: TRANSITIONS as Diagram['table'] },
  {
    title: 'A step of a run',
    first: 'waiting',
    states: STEP_STATES,
    table: STEP_TRANSITIONS as Diagram['table'],
  },
  {
    title: 'A version of a workflow',
    first: 'draft',
    states: WORKFLOW_STATES,
    table: WORKFLOW_TRANSITIONS as Diagram['table'],
  },
];
