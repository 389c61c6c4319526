import { Module } from '@nestjs/common';
import { type Config, CONFIG } from '../platform/index.js';
import { VendorsModule } from '../vendors/index.js';
import { Detector } from './detector.js';
import { EntitySettings } from './entity-settings.js';
import { IncidentStore } from './incident-store.js';
import { IncidentWriter } from './incident-writer.js';
import { IncidentsAdminController } from './incidents.admin.controller.js';
import { Incidents } from './incidents.js';
import { PreviewsAdminController } from './previews.admin.controller.js';
import { VendorCallCounts } from './vendor-call-counts.js';
import { Watch } from './watch.js';

/** Incidents in DORA's sense: noticed or entered, classified, decided, on the clock. */
@Module({
  imports: [VendorsModule],
  providers: [
    { provide: EntitySettings, inject: [CONFIG], useFactory: (config: Config) => EntitySettings.of(config) },
    IncidentStore,
    IncidentWriter,
    Incidents,
    VendorCallCounts,
    Detector,
    Watch,
  ],
  controllers: [IncidentsAdminController, PreviewsAdminController],
})
export class IncidentsModule {}
