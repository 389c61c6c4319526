import { Module } from '@nestjs/common';
import { CachedAnswers } from './cache/cached-answers.js';
import { Detours } from './didit/detours.js';
import { DiditVendor } from './didit/didit-vendor.js';
import { BreakerNews } from './resilience/breaker-news.js';
import { VendorsController } from './vendors.admin.controller.js';

/** The way out: one adapter a vendor, each behind a resilience pipeline. */
@Module({
  controllers: [VendorsController],
  providers: [CachedAnswers, Detours, DiditVendor, BreakerNews],
  exports: [CachedAnswers, Detours, DiditVendor],
})
export class VendorsModule {}
