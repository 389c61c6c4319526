import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { callOf, Clock } from '../../platform/index.js';
import { DiditVendor } from '../../vendors/index.js';

/** One answered call of a client. */
export interface Answered {
  client: string | undefined;
  /** The last vendor operation in it; undefined where the vendor was not asked. */
  operation: string | undefined;
  status: number;
  durationMs: number;
}

export interface TrafficWatcher {
  onAnswer(answered: Answered): void;
  onVendorFailure(): void;
}

/** What clients are answered, for the guards of a drill. Costs nothing but a look while none runs. */
@Injectable()
export class Traffic implements OnModuleInit {
  #watchers: readonly TrafficWatcher[] = [];

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly vendor: DiditVendor,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.vendor.observe({ onFailure: () => this.#watchers.forEach((watcher) => watcher.onVendorFailure()) });
    const fastify =
      this.host.httpAdapter.getInstance<
        ReturnType<NestFastifyApplication['getHttpAdapter']>['getInstance'] extends () => infer F ? F : never
      >();
    fastify.addHook('onResponse', (request, reply, done) => {
      if (this.#watchers.length > 0) this.tell(request, reply.statusCode);
      done();
    });
  }

  /** @returns ends it */
  watch(watcher: TrafficWatcher): () => void {
    this.#watchers = [...this.#watchers, watcher];
    return () => {
      this.#watchers = this.#watchers.filter((one) => one !== watcher);
    };
  }

  private tell(request: { raw: object }, status: number): void {
    const call = callOf(request);
    if (call.routeClass !== 'data') return;
    const answered: Answered = {
      client: call.caller?.kind === 'client' ? call.caller.id : undefined,
      operation: call.vendor?.operation,
      status,
      durationMs: Number((this.clock.monotonic() - call.startedNs) / 1_000_000n),
    };
    this.#watchers.forEach((watcher) => watcher.onAnswer(answered));
  }
}
