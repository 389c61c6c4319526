export { Clock, ManualClock, SystemClock } from './clock.js';
export { ConfigError, loadConfig } from './config/load.js';
export { LADDER, type LadderRung, ladderSchema, workflowLadderSchema } from './config/fallback.js';
export type { Config } from './config/schema.js';
export { duration, type Rate, timer } from './config/units.js';
export { readCertificates } from './crypto/certificates.js';
export { equalInConstantTime } from './crypto/compare.js';
export { Keyring, open, seal } from './crypto/keyring.js';
export { Secret } from './crypto/secret.js';
export { APP_ROLE, Database, dataSource, type Tx } from './database/database.js';
export { migrate, pendingMigrations } from './database/migrate.js';
export { administratorOf, attachCall, callOf, clientOf, may } from './http/call.js';
export type {
  AdminCaller,
  Call,
  Caller,
  ClientCaller,
  Decision,
  Listener,
  RouteClass,
  VendorCost,
  VendorPart,
} from './http/call.js';
export {
  AdminController,
  Idempotent,
  IDEMPOTENT,
  PublicController,
  Roles,
  ROLES,
  ROUTE_CLASS,
  Scopes,
  SCOPES,
  TheCall,
} from './http/markers.js';
export { isUuid, uuidv7, uuidv7Floor } from './ids.js';
export { Outbox, type Signal, type StoredSignal } from './outbox/outbox.js';
export { type ProblemCode, PROBLEMS, problemType } from './problems/catalogue.js';
export { type FieldError, ProblemError } from './problems/problem-error.js';
export { PROBLEM_JSON, renderProblem } from './problems/render.js';
export { Vault } from './vault/vault.js';
export { CONFIG, ORIGINS, type Origins, TELEMETRY } from './tokens.js';
export { Lifecycle } from './lifecycle.js';
export { PlatformModule, type PlatformParts } from './platform.module.js';
export { startTelemetry, type Telemetry } from './telemetry/sdk.js';
export type { Answer } from './http/commit.js';
export { CallCommit } from './http/commit.js';
export { isAudited, type Route, RouteTable } from './http/routes.js';
export { tagged, versionOf } from './http/entity-tag.js';
export { retryAfterSeconds } from './http/retry-after.js';
export { traceparent } from './http/trace-context.js';
export { Log } from './telemetry/log.js';
export { Tracing } from './telemetry/tracing.js';
export {
  ensureDevelopmentCertificates,
  makeAuthority,
  makeServerCertificate,
  type Pair,
} from './development/certificates.js';
export { type DataDirLock, lockDataDir } from './development/data-dir-lock.js';
export { createFileOnce, prepareDataDir, writeFileAtomically } from './development/files.js';
export { ensureLogKey, ensureMasterKey, generateKeyFiles, readLogKey, readMasterKey } from './development/keys.js';
export { type EmbeddedPostgres, findEmbeddedPostgres, startEmbeddedPostgres } from './embedded/postgres.js';
export { type Handler, ListenerServer, listenerUrl } from './http/listeners.js';
export { fastifyAdapter, answerParseError } from './http/server.js';
export { type Entrance, makeCall, registerEntrance } from './http/entrance.js';
export { registerWayOut } from './http/way-out.js';
export { registerBodyParsers } from './http/body.js';
export { ProblemFilter, refuse, ReplayedAnswer, sendProblem } from './http/problem-filter.js';
export { invalidRequest, validationPipe } from './http/validation.js';
export { NestLog } from './telemetry/log.js';
export { type Setting, settings } from './config/settings.js';
export { Rounds } from './jobs/rounds.js';
export { type Job, type JobHandler, Jobs, type SendOptions, type WorkOptions } from './jobs/jobs.js';
