import { DrillEntity } from './drill.entity.js';
import { TallyEntity } from './tally.entity.js';

export { DrillsModule } from './drills.module.js';

/** Tables of this module, for the one data source. */
export const drillsEntities = [DrillEntity, TallyEntity];
