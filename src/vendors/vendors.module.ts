import { Module } from '@nestjs/common';
import { Detours } from './didit/detours.js';
import { DiditVendor } from './didit/didit-vendor.js';

/** The way out: one adapter a vendor. */
@Module({ providers: [Detours, DiditVendor], exports: [Detours, DiditVendor] })
export class VendorsModule {}
