import type { Clock, Log } from '../../platform/index.js';
import { OperationalShipper } from './operational-shipper.js';
import { OperationalSpool } from './operational-spool.js';
import type { Sink } from './sink.js';

export interface OperationalParts {
  log: Log;
  clock: Clock;
  /** Folder of the spool, of this instance alone. */
  dir: string;
  /** Receivers that are to have the operational log; names are unique. */
  sinks: readonly Sink[];
  /** Between two rounds of a sink, milliseconds. */
  everyMs: number;
  mostBytes?: number;
}

/**
 * Ships every line that the operational log says from now on, and what earlier runs left, to each of the sinks; one that is away holds up
 * no other. Needs no database. The sinks are not closed with it.
 */
export async function shipOperationalLog(parts: OperationalParts): Promise<{ stop(): Promise<void> }> {
  const { log, clock, dir, sinks, everyMs, mostBytes } = parts;
  const spool = await OperationalSpool.open({ dir, clock, log, ...(mostBytes === undefined ? {} : { mostBytes }) });
  const leave = log.tee((line) => spool.accept(line));
  const shippers: OperationalShipper[] = [];
  for (const sink of sinks)
    shippers.push(new OperationalShipper({ reader: await spool.reader(sink.name), sink, log, everyMs }));
  for (const shipper of shippers) shipper.start();
  return {
    stop: async () => {
      await Promise.all(shippers.map((shipper) => shipper.stop()));
      leave();
      await spool.close();
    },
  };
}
