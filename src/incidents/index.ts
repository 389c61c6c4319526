import { IncidentEntity } from './entities/incident.entity.js';
import { TimelineEntryEntity } from './entities/timeline-entry.entity.js';

export { EntitySettings } from './entity-settings.js';
export { IncidentsModule } from './incidents.module.js';

/** Tables of this module, for the one data source. */
export const incidentsEntities = [IncidentEntity, TimelineEntryEntity];
