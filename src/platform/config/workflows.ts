import { z } from 'zod';
import { text } from './shapes.js';
import { workflowLadderSchema } from './fallback.js';
import { duration, size } from './units.js';

/** The workflows that a verification can run, with what each needs of this deployment. */
export const workflows = z.strictObject({
  onboarding: z
    .strictObject({
      vendor: z.literal('didit').default('didit'),
      workflowId: text().optional().meta({ description: 'Didit workflow that runs it.', env: 'DIDIT_WORKFLOW_ID' }),
      keepDecision: duration()
        .prefault('90d')
        .meta({ description: 'How long the sealed decision of a verification is kept to answer from.' }),
      fallback: workflowLadderSchema().default(['queued']).meta({
        description:
          'What becomes of a new verification while the vendor fails: `queued` (accepted, and sent when the vendor is back), then `manual` (a person decides); with neither it is a standard error.',
      }),
    })
    .prefault({}),
  definitions: z.record(text(), z.json()).default({}).meta({
    description:
      'Workflows by name, as docs/workflows.md tells: a definition that differs from the published one is published as its next version at the start.',
  }),
  runsAtOnce: z.int().min(1).max(64).default(8).meta({
    description:
      'Runs of workflows that an instance takes further at once, three quarters of them at most for one client; the others wait in Postgres.',
  }),
  uploadMemory: size().prefault('128mb').meta({
    description:
      'Bytes of uploads that an instance holds at once while they come in, three quarters of them at most for one client; more get 503.',
  }),
});
