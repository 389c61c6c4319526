export { AddressSet, allowedAddressCheck, deniedAddressCheck } from './addresses.js';
export { agentCheck } from './agents.js';
export { Anonymous, type CountedRefusals } from './anonymous.js';
export { compileMask, type CompiledMask, type Masked } from './masking/compile.js';
export {
  dropped,
  either,
  exempt,
  type ExtraMethod,
  fields,
  leaf,
  list,
  type MaskNode,
  members,
  type Passes,
  subtree,
} from './masking/mask.js';
export type { Pseudonymize } from './masking/methods.js';
export { parsePath } from './masking/tighten.js';
export { opsTokenCheck } from './ops-token.js';
export { PolicyModule } from './policy.module.js';
export { RateGuard } from './rates.js';
export { httpsOnly } from './transport.js';
