import { Get } from '@nestjs/common';
import { AdminController, Roles } from '../platform/index.js';
import { DiditVendor } from './didit/didit-vendor.js';
import type { VendorState } from './resilience/state.js';

/** How the vendors fare, as this instance sees them. */
@AdminController('admin/v1/vendors')
export class VendorsController {
  constructor(private readonly didit: DiditVendor) {}

  @Get()
  @Roles('operator')
  list(): { items: VendorState[] } {
    return { items: [this.didit.state()] };
  }
}
