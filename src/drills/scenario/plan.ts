import { type Plan, planSchema } from '../schemas.js';
import { ScenarioError } from './read.js';
import type { Scenario, ScenarioFault } from './schema.js';

type VendorFaultThere = Extract<ScenarioFault, { at: 'vendor' }>;

/**
 * The part of a scenario that a drill in a running gateway can play: its faults at the vendor, with one aim for all of them.
 * @throws ScenarioError that points at what it cannot
 */
export function planOf({ name, faults, load }: Scenario, clients: readonly string[] | undefined): Plan {
  const there = faults.filter((fault): fault is VendorFaultThere => fault.at === 'vendor');
  const elsewhere = faults.findIndex(({ at }) => at !== 'vendor');
  if (elsewhere >= 0)
    throw new ScenarioError(name, [
      {
        pointer: `/faults/${elsewhere}/at`,
        message: 'is not at the vendor: only such faults can be made in a running gateway',
      },
    ]);
  const [first] = there;
  const other = there.findIndex(
    ({ operations, share }) =>
      JSON.stringify([operations, share]) !== JSON.stringify([first?.operations, first?.share]),
  );
  if (other >= 0)
    throw new ScenarioError(name, [
      { pointer: `/faults/${other}`, message: 'must have the operations and share of the first' },
    ]);
  return planSchema.parse({
    faults: there.map(({ fault, from, for: forMs }) => ({
      fault,
      fromMs: from,
      ...(forMs === undefined ? {} : { forMs }),
    })),
    scope: {
      ...(clients === undefined ? {} : { clients }),
      ...(first?.operations === undefined ? {} : { operations: first.operations }),
      share: first?.share ?? 1,
    },
    durationMs: load.for,
  });
}
