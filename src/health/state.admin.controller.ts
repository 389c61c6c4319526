import { Get, Inject } from '@nestjs/common';
import { RaisedAlarms } from '../audit/index.js';
import { AdminController, Clock, type Config, CONFIG, Database, Lifecycle, Roles } from '../platform/index.js';

interface Part {
  name: string;
  status: 'up' | 'down';
  latencyMs?: number;
}

/** The detailed state, for people: what this instance depends on and how it fares. */
@AdminController('admin/v1')
export class StateController {
  constructor(
    private readonly lifecycle: Lifecycle,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly alarms: RaisedAlarms,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get('health')
  @Roles('operator', 'security', 'auditor', 'incident-manager')
  async state(): Promise<{
    phase: string;
    underWay: number;
    at: string;
    entity: string;
    parts: Part[];
    alarms: { alarm: string; since: string }[];
  }> {
    return {
      phase: this.lifecycle.phase,
      underWay: this.lifecycle.underWay,
      at: this.clock.now().toISOString(),
      entity: this.config.entity.name,
      parts: [await this.postgres()],
      alarms: this.alarms.list(),
    };
  }

  private async postgres(): Promise<Part> {
    const started = this.clock.monotonic();
    try {
      await this.database.query('SELECT 1');
      return { name: 'postgres', status: 'up', latencyMs: Number((this.clock.monotonic() - started) / 1_000_000n) };
    } catch {
      return { name: 'postgres', status: 'down' };
    }
  }
}
