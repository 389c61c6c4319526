import { Get, HttpCode } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { Lifecycle, ProblemError, PublicController } from '../platform/index.js';

/**
 * For load balancers. Readiness fails for local causes alone: the database's or the vendor's trouble hits every instance alike, and the
 * gateway's own clear 503 serves callers better than a load balancer's.
 */
@PublicController('health', 'health')
export class HealthController {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  @Get('live')
  @HttpCode(200)
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('startup')
  startup(): Promise<{ status: string }> {
    return this.check(this.lifecycle.phase !== 'starting');
  }

  @Get('ready')
  ready(): Promise<{ status: string }> {
    return this.check(this.lifecycle.phase === 'serving');
  }

  private async check(up: boolean): Promise<{ status: string }> {
    const indicator = this.indicators.check('instance');
    try {
      const { status } = await this.health.check([
        () => (up ? indicator.up() : indicator.down({ phase: this.lifecycle.phase })),
      ]);
      return { status };
    } catch {
      throw new ProblemError('shutting-down', {
        detail: this.lifecycle.phase === 'starting' ? 'This instance is starting.' : 'This instance is stopping.',
        headers: { 'retry-after': '1' },
        rule: `health.${this.lifecycle.phase}`,
      });
    }
  }
}
