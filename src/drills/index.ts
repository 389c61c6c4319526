import { DrillEntity } from './drill.entity.js';
import { TallyEntity } from './tally.entity.js';

export { DrillsModule } from './drills.module.js';
export { drillCertificates } from './proxy/authority.js';
export type { AttemptTold } from './proxy/attempt-told.js';
export { type Attempt, AttemptBook, TELL_ATTEMPTS } from './proxy/attempts.js';
export { HttpInterceptor } from './proxy/http-interceptor.js';
export { TcpProxy } from './proxy/tcp-proxy.js';
export { reportPage } from './report/page.js';
export { type DrillReport, reportSchema } from './report/schema.js';
export { Caller, type Credentials } from './runner/caller.js';
export { play } from './runner/play.js';
export { earliest, firstSign } from './runner/signs.js';
export type { Noticed, Stage } from './runner/stage.js';
export { planOf } from './scenario/plan.js';
export { type ReadScenario, readScenario, ScenarioError, shippedScenarios } from './scenario/read.js';
export type { Scenario, ScenarioFault } from './scenario/schema.js';
export { isHttpFault } from './faults.js';

/** Tables of this module, for the one data source. */
export const drillsEntities = [DrillEntity, TallyEntity];
