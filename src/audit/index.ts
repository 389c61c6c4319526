export { RaisedAlarms } from './alarm/raised-alarms.js';
export { type Audit, openAudit } from './audit.js';
export { AuditLog } from './audit-log.js';
export { AuditModule } from './audit.module.js';
export { CallWriter } from './call-writer.js';
export type { CanonicalValue } from './canonical.js';
export type { RecordInput } from './record.js';
export { describeVerdict, type Verdict } from './verify/verdict.js';
export { verifyLog } from './verify/verify-log.js';
