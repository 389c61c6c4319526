import { Module } from '@nestjs/common';
import { DiditVendor } from './didit/didit-vendor.js';

/** The way out: one adapter a vendor. */
@Module({ providers: [DiditVendor], exports: [DiditVendor] })
export class VendorsModule {}
