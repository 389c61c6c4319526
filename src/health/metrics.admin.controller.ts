import { Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, TELEMETRY, type Telemetry } from '../platform/index.js';

/** Metrics in the Prometheus text form, for a scraper with the static bearer. */
@AdminController('metrics', 'metrics')
export class MetricsController {
  constructor(@Inject(TELEMETRY) private readonly telemetry: Telemetry) {}

  @Get()
  metrics(@Res() reply: FastifyReply): void {
    reply.hijack();
    this.telemetry.metrics(reply.request.raw, reply.raw);
  }
}
