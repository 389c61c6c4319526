import { Headers, HttpCode, Post } from '@nestjs/common';
import { CallWriter } from '../../audit/index.js';
import { type Call, Clock, Log, ProblemError, PublicController, TheCall } from '../../platform/index.js';
import { DeadlinePassed, within } from './deadline.js';
import { WebhookReceiver } from './receiver.js';

/** Didit waits five seconds and tries again after a 5xx: what is not durable by now is better sent again than left open. */
const PATIENCE_MS = 3_800;
const RETRY_AFTER = { 'retry-after': '30' };
/** Notifications from vendors. Answered once they are durable; what they are about is worked on afterwards. */
@PublicController('webhooks', 'webhook')
export class WebhooksController {
  constructor(
    private readonly receiver: WebhookReceiver,
    private readonly writer: CallWriter,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  @Post('didit')
  @HttpCode(200)
  async didit(
    @TheCall() call: Call,
    @Headers() headers: Record<string, string | undefined>,
  ): Promise<{ received: true }> {
    const rawBody = call.rawBody ?? Buffer.alloc(0);
    const signatures = {
      timestamp: headers['x-timestamp'],
      signature: headers['x-signature'],
      signatureV2: headers['x-signature-v2'],
      signatureSimple: headers['x-signature-simple'],
    };
    const spentMs = Number((this.clock.monotonic() - call.startedNs) / 1_000_000n);
    try {
      await within(PATIENCE_MS - spentMs, this.receiver.receive(call, rawBody, signatures));
    } catch (error) {
      throw error instanceof ProblemError ? error : this.notDurable(call, error);
    }
    return { received: true };
  }

  private notDurable(call: Call, error: unknown): ProblemError {
    this.log.error('a webhook could not be kept and is to be sent again', { callId: call.id, error });
    const refusal = new ProblemError('audit-unavailable', {
      rule: 'webhook.durable',
      reason: 'not durable in time',
      headers: RETRY_AFTER,
    });
    // Past the deadline there is no time to wait for the log as well: such a refusal goes to the instance's journal.
    if (error instanceof DeadlinePassed) {
      call.recorded = true;
      this.writer.refused(call, { status: refusal.status, headers: {}, body: undefined, bytesOut: 0 });
    }
    return refusal;
  }
}
