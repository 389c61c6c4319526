import { Module } from '@nestjs/common';
import { VendorsModule } from '../vendors/index.js';
import { DrillRecords } from './drill-records.js';
import { DrillStore } from './drill-store.js';
import { DrillsAdminController } from './drills.admin.controller.js';
import { Drills } from './drills.js';
import { Arming } from './engine/arming.js';
import { DrillEngine } from './engine/drill-engine.js';
import { Traffic } from './engine/traffic.js';

/** Rehearsed faults: proposed, approved by another, run within bounds, reported and signed. */
@Module({
  imports: [VendorsModule],
  providers: [DrillStore, DrillRecords, Drills, Traffic, Arming, DrillEngine],
  controllers: [DrillsAdminController],
})
export class DrillsModule {}
