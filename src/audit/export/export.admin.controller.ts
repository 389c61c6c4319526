import { Readable } from 'node:stream';
import { Get, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  AdminController,
  administratorOf,
  type Call,
  Clock,
  ProblemError,
  Roles,
  TheCall,
  uuidv7,
} from '../../platform/index.js';
import { AuditLog } from '../audit-log.js';
import { FORMATS } from './formats.js';
import { exportBounds, exportLog } from './log-export.js';
import { Pooled } from '../pooled.js';
import { exportQuery } from './selection.js';

/** Exports that one instance streams at once: each keeps a connection of the pool busy half of its time. */
const MOST_AT_ONCE = 2;

/** The log as a file, streamed as it is read. */
@AdminController('admin/v1/audit')
export class ExportAdminController {
  #open = 0;

  constructor(
    private readonly source: Pooled,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  @Get('export')
  @Roles('auditor', 'security')
  async export(
    @TheCall() call: Call,
    @Query({ schema: exportQuery }) { format, ...selection }: z.output<typeof exportQuery>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.#open >= MOST_AT_ONCE) throw new ProblemError('overloaded', { rule: 'audit.exports-at-once' });
    this.#open += 1;
    let stream: Readable;
    try {
      const bounds = await exportBounds(this.source, selection);
      await this.tell(call, format, selection, bounds);
      stream = Readable.from(exportLog(this.source, format, selection, bounds), { objectMode: false });
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
    stream.once('close', () => (this.#open -= 1));
    // A caller who goes away leaves the stream behind half read.
    call.signal.addEventListener('abort', () => stream.destroy(), { once: true });
    const { contentType, extension } = FORMATS[format];
    void reply
      .header('content-type', contentType)
      .header('content-disposition', `attachment; filename="gatehouse-audit.${extension}"`)
      .send(stream);
  }

  /**
   * Before the first byte: the record of the call itself comes with the last one, which an export that is broken off never reaches.
   * Filters are told by name, since a person may type anything into them.
   */
  private async tell(
    call: Call,
    format: string,
    selection: object,
    { first, past }: { first: number; past: number },
  ): Promise<void> {
    const { id: actor, tokenId: credential } = administratorOf(call);
    const now = this.clock.now();
    const filters = Object.entries(selection).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    await this.auditLog.append({
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: 'admin.act',
      call: call.id,
      trace: call.traceId,
      actor,
      credential,
      detail: { act: 'audit.exported', filters: filters.sort(), first, format, past },
    });
  }
}
