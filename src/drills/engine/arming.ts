import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Config, CONFIG, Log } from '../../platform/index.js';
import { Detours } from '../../vendors/index.js';
import type { Running } from '../drill-store.js';
import { VendorWay } from '../proxy/vendor-way.js';
import { ArmedDrill } from './armed-drill.js';
import { Traffic } from './traffic.js';

/** A drill at work here, until `disarm`. */
export interface Arms {
  armed: ArmedDrill;
  disarm(): Promise<void>;
}

/** Puts a drill's proxy between this instance and the vendor. */
@Injectable()
export class Arming {
  constructor(
    private readonly detours: Detours,
    private readonly traffic: Traffic,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async arm(drill: Running): Promise<Arms> {
    const { baseUrl, hosts, caFile, timeouts, connections } = this.config.vendors.didit;
    if (baseUrl === undefined) throw new Error('there is no vendor to lead calls to');
    const vendor = { baseUrl, hosts, caFile, connectTimeoutMs: timeouts.connect, connections };
    const faults = drill.plan.faults.map(({ fault }) => fault);
    const way = await VendorWay.open(vendor, faults, this.clock);
    const failed = (error: unknown): void => this.log.error('a fault of a drill could not be changed', { error });
    const armed = new ArmedDrill(drill, way, this.clock, failed);
    const ends = [this.detours.add((call) => armed.detour(call)), this.traffic.watch(armed)];
    return {
      armed,
      disarm: async () => {
        for (const end of ends) end();
        await armed.close();
      },
    };
  }
}
