import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TcpProxy } from '../../drills/index.js';
import { startEmbeddedPostgres } from '../../platform/index.js';
import type { FaultAt } from './own-vendor.js';
import { SmallDisk } from './small-disk.js';
import type { Undo } from './undo.js';

const HOST = '127.0.0.1';
const MEGABYTES = 400;

/** Postgres of a drill's own system, behind a proxy, and on a disk of its own where that is to be filled. */
export class OwnPostgres {
  private constructor(
    /** As its superuser, through the proxy. */
    readonly url: string,
    private readonly proxy: TcpProxy,
    private readonly disk: SmallDisk | undefined,
  ) {}

  /** @throws when a part of it does not start; `undo` knows what had started */
  static async open(dir: string, isToBeFilled: boolean, undo: Undo): Promise<OwnPostgres> {
    const dataDir = join(dir, 'pg');
    mkdirSync(dataDir);
    const disk = isToBeFilled ? SmallDisk.under(dataDir, MEGABYTES) : undefined;
    if (disk !== undefined) undo.push(() => Promise.resolve(disk.remove()));
    const postgres = await startEmbeddedPostgres({ dataDir, durable: false, stopWithParent: true });
    undo.push(() => postgres.stop({ remove: true }));
    const url = new URL(postgres.superuserUrl);
    const cluster = { host: url.hostname, port: Number(url.port) };
    const proxy = await TcpProxy.open({ targets: () => [cluster] });
    undo.push(() => proxy.close());
    url.hostname = HOST;
    url.port = String(proxy.port);
    return new OwnPostgres(url.href, proxy, disk);
  }

  async use(faults: readonly FaultAt<'postgres'>[]): Promise<void> {
    const network = faults.flatMap(({ fault }) => (fault.kind === 'full' ? [] : [fault]));
    await this.proxy.use(network);
    if (network.length < faults.length) await this.disk?.fill();
    else await this.disk?.free();
  }
}
