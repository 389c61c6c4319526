import { Injectable } from '@nestjs/common';
import { type Call, clientOf } from '../../platform/index.js';
import { type OperationName, type VendorAnswer, VendorFailure } from '../../vendors/index.js';
import { type CodeChannel, OneTimeCodes } from '../ownership/one-time-codes.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import type { DroppedIn } from './dropped-in.js';
import { jsonObject, ownWords, requiredText } from './request-body.js';

interface Channel {
  /** Member of the request that tells where the code goes. */
  address: string;
  send: Extract<OperationName, 'phone.send' | 'email.send'>;
  check: Extract<OperationName, 'phone.check' | 'email.check'>;
}

const CHANNELS: Readonly<Record<CodeChannel, Channel>> = {
  phone: { address: 'phone_number', send: 'phone.send', check: 'phone.check' },
  email: { address: 'email', send: 'email.send', check: 'email.check' },
};

/** Answers after which no code is awaited any more. */
const OVER: ReadonlySet<unknown> = new Set(['Approved', 'Declined', 'Expired or Not Found']);

/** One-time codes by phone and e-mail. Didit keeps them by number or address, so that only the client that had one sent may try it. */
@Injectable()
export class DropInCodes {
  constructor(
    private readonly calls: DropInCalls,
    private readonly codes: OneTimeCodes,
  ) {}

  /** @throws ProblemError `conflict` while another client awaits a code there. */
  async send(channel: CodeChannel, { call, body }: DroppedIn): Promise<DropInAnswer> {
    const { address: member, send } = CHANNELS[channel];
    const wanted = jsonObject(body);
    const address = requiredText(wanted, member);
    const { id: clientId } = clientOf(call);
    const fresh = await this.codes.begin(clientId, channel, address);
    const answer = await this.sent(call, send, wanted, async () => {
      if (fresh) await this.codes.end(clientId, channel, address);
    });
    await this.calls.claim(call, answer, 'session', 'request_id');
    return this.calls.masked(call, answer);
  }

  /** @throws ProblemError `not-found` for a code of another client. */
  async check(channel: CodeChannel, { call, body }: DroppedIn): Promise<DropInAnswer> {
    const { address: member, check } = CHANNELS[channel];
    const wanted = jsonObject(body);
    const address = requiredText(wanted, member);
    const { id: clientId } = clientOf(call);
    await this.codes.check(clientId, channel, address);
    const answer = await this.calls.forward(call, check, { body: { json: wanted } });
    await this.calls.claim(call, answer, 'session', 'request_id');
    if (answer.code === undefined && OVER.has((answer.body as Record<string, unknown>)['status']))
      await this.codes.end(clientId, channel, address);
    return this.calls.masked(call, answer);
  }

  /** @param free gives the place up again when certainly no code was sent */
  private async sent(
    call: Call,
    operation: OperationName,
    wanted: Record<string, unknown>,
    free: () => Promise<void>,
  ): Promise<VendorAnswer> {
    try {
      const answer = await this.calls.forward(call, operation, { body: { json: ownWords(call, wanted) } });
      if (answer.code !== undefined) await free();
      return answer;
    } catch (error) {
      if (error instanceof VendorFailure && error.outcome === 'none') await free();
      throw error;
    }
  }
}
