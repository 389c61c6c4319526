import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { type Audit, AuditModule } from './audit/index.js';
import { AuthModule, Authenticator } from './auth/index.js';
import { type Check, corridor, CorridorGuard, type Rooms } from './corridor.js';
import { DocsModule } from './docs/index.js';
import { DrillsModule } from './drills/index.js';
import { HealthModule } from './health/index.js';
import { IncidentsModule } from './incidents/index.js';
import { IdempotencyCheck, OrchestrationModule } from './orchestration/index.js';
import {
  type Config,
  CONFIG,
  PlatformModule,
  type PlatformParts,
  ProblemError,
  type RouteTable,
} from './platform/index.js';
import {
  agentCheck,
  allowedAddressCheck,
  Anonymous,
  deniedAddressCheck,
  httpsOnly,
  opsTokenCheck,
  PolicyModule,
  RateGuard,
} from './policy/index.js';
import { VendorsModule } from './vendors/index.js';
import { WebhooksModule } from './webhooks/index.js';

export interface AppParts extends PlatformParts {
  audit: Audit;
  anonymous: Anonymous;
  routes: () => RouteTable;
}

const guard = (parts: AppParts) => ({
  provide: APP_GUARD,
  inject: [Authenticator, RateGuard, IdempotencyCheck, CONFIG],
  useFactory: (authenticator: Authenticator, rates: RateGuard, idempotency: IdempotencyCheck, config: Config) =>
    new CorridorGuard(corridor(rooms(parts, authenticator, rates, idempotency, config)), parts.routes),
});

function rooms(
  parts: AppParts,
  authenticator: Authenticator,
  rates: RateGuard,
  idempotency: IdempotencyCheck,
  config: Config,
): Rooms {
  const { policy, listeners } = config;
  const byCall = (check: (call: Parameters<typeof httpsOnly>[0]) => void): Check => {
    return ({ call }) => check(call);
  };
  const counted = async (check: Parameters<Check>[0], work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      throw error instanceof ProblemError && error.code === 'unauthenticated'
        ? parts.anonymous.refuse(check.call, error)
        : error;
    }
  };
  const ops = opsTokenCheck(listeners.admin.opsToken);
  return {
    httpsOnly: byCall(httpsOnly),
    deniedAddress: byCall(deniedAddressCheck(policy.addresses.deny)),
    allowedAddress: byCall(allowedAddressCheck(policy.addresses.allow)),
    agent: byCall(agentCheck(policy.agents.deny)),
    client: (step) => counted(step, asClient(authenticator, step)),
    administrator: (step) => counted(step, asAdministrator(authenticator, step)),
    opsToken: ({ request }) => ops(request.headers.authorization),
    rates: ({ context }) => rates.canActivate(context),
    idempotency: ({ call, route, request }) =>
      route.idempotent ? idempotency.begin(call, request.headers, request.body) : undefined,
  };
}

async function asClient(authenticator: Authenticator, { call, request, route }: Parameters<Check>[0]): Promise<void> {
  const group = route.path.startsWith('/didit/') ? 'drop-in' : 'v1';
  call.caller = await authenticator.authenticateClient(call, request.headers, group);
}

async function asAdministrator(authenticator: Authenticator, { call, request }: Parameters<Check>[0]): Promise<void> {
  call.caller = await authenticator.authenticateAdministrator(call, request.headers);
}

/** The map: which modules make the gateway. */
@Module({})
export class AppModule {
  static with(parts: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.with(parts),
        AuditModule.with(parts.audit),
        AuthModule,
        PolicyModule,
        VendorsModule,
        OrchestrationModule,
        WebhooksModule.with(parts.anonymous),
        IncidentsModule,
        DrillsModule,
        HealthModule,
        DocsModule,
      ],
      providers: [guard(parts)],
    };
  }
}
