export type { VendorAnswer } from './didit/answer.js';
export type { VendorRequest } from './didit/client.js';
export { type Detour, Detours } from './didit/detours.js';
export { DiditVendor } from './didit/didit-vendor.js';
export { VendorFailure, type VendorOutcome } from './didit/failure.js';
export type { VerificationResult } from './didit/masks.js';
export { rightsOf } from './didit/media.js';
export { type OperationName, OPERATIONS } from './didit/operations.js';
export {
  reportStatus,
  sessionStatus,
  type StepName,
  stepsOf,
  type StepState,
  type StepStatus,
} from './didit/statuses.js';
export { clientTag, namespaced, restored, withOwnVendorData } from './didit/vendor-data.js';
export type { Verdict, WebhookHeaders } from './didit/webhook-signature.js';
export { VendorsModule } from './vendors.module.js';
