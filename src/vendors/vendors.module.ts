import { Module } from '@nestjs/common';
import { CachedAnswers } from './cache/cached-answers.js';
import { Detours } from './didit/detours.js';
import { DiditVendor } from './didit/didit-vendor.js';

/** The way out: one adapter a vendor. */
@Module({ providers: [CachedAnswers, Detours, DiditVendor], exports: [CachedAnswers, Detours, DiditVendor] })
export class VendorsModule {}
