import type { Scenario } from '../../drills/index.js';
import { SmallDisk } from './small-disk.js';
import { PROGRAMS, valkeyProgram } from './valkey.js';

type Faults = Pick<Scenario, 'faults'>;

export function needsValkey({ faults }: Faults): boolean {
  return faults.some(({ at }) => at === 'valkey');
}

export function needsSmallDisk({ faults }: Faults): boolean {
  return faults.some(({ at, fault }) => at === 'postgres' && fault.kind === 'full');
}

/** Why a scenario cannot be played on this machine; undefined where it can. */
export function whatIsMissing(scenario: Faults): string | undefined {
  if (needsValkey(scenario) && valkeyProgram() === undefined)
    return `neither of ${PROGRAMS.join(' and ')} is installed`;
  if (needsSmallDisk(scenario) && !SmallDisk.canBeMade())
    return 'a disk to be filled cannot be mounted: that needs root, or sudo without a password';
  return undefined;
}
