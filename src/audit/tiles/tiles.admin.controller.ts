import { Get, Header, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, Database, ProblemError } from '../../platform/index.js';
import { LogStore } from '../checkpoints/log-store.js';
import { HASH_BYTES } from '../tree/merkle.js';
import { parseTilePath, type TileName } from '../tree/tile-path.js';
import { TILE_WIDTH, tileName } from '../tree/tile-tree.js';
import { writeBundle } from './bundle.js';

/** A tile once asked for never changes, so any cache may keep it. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
const OCTETS = 'application/octet-stream';

/** The log for public tools (C2SP tlog-tiles): whoever reads it all can rebuild the root and check the checkpoint. */
@AdminController('log', 'log')
export class TilesController {
  constructor(
    private readonly store: LogStore,
    private readonly database: Database,
  ) {}

  @Get('checkpoint')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-cache')
  async checkpoint(): Promise<string> {
    const checkpoint = await this.store.published();
    if (checkpoint === undefined) throw absent();
    return checkpoint.note;
  }

  /** Public keys that sign, and have signed, the log: one C2SP vkey a line. */
  @Get('keys')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-cache')
  async keys(): Promise<string> {
    return (await this.store.keys()).map((key) => `${key}\n`).join('');
  }

  @Get(['tile/:level/:a', 'tile/:level/:a/:b', 'tile/:level/:a/:b/:c', 'tile/:level/:a/:b/:c/:d'])
  async tile(
    @Param() { level, a, b, c, d }: Record<string, string | undefined>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const name = parseTilePath([level, a, b, c, d].filter((element) => element !== undefined).join('/'));
    if (name === undefined) throw absent();
    const bytes = name.level === 'entries' ? await this.entries(name) : await this.hashes(name.level, name);
    await reply.header('content-type', OCTETS).header('cache-control', IMMUTABLE).send(bytes);
  }

  private async hashes(level: number, { index, width }: TileName): Promise<Buffer> {
    const tile = (await this.store.tiles([{ level, index }])).get(tileName({ level, index }));
    if (tile === undefined || tile.length < width * HASH_BYTES) throw absent();
    return tile.subarray(0, width * HASH_BYTES);
  }

  private async entries({ index, width }: TileName): Promise<Buffer> {
    const first = index * TILE_WIDTH;
    const rows = await this.database.query<{ bytes: Buffer }>(
      'SELECT bytes FROM audit.log WHERE seq >= $1 AND seq < $2 ORDER BY seq',
      [first, first + width],
    );
    if (rows.length < width) throw absent();
    return writeBundle(rows.map(({ bytes }) => bytes));
  }
}

function absent(): ProblemError {
  return new ProblemError('not-found', { rule: 'log.absent', reason: 'the log has no such part, or not yet' });
}
