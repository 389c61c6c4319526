import { Injectable } from '@nestjs/common';
import { clientOf, ProblemError } from '../../platform/index.js';
import { clientTag, namespaced, restored, type VendorAnswer } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import type { DroppedIn } from './dropped-in.js';
import { jsonObject, ownWords, refuseMember, requiredText } from './request-body.js';

type Json = Record<string, unknown>;

/** Companies in the registries of their countries. What a search found is chosen by an id that only the client which searched can use. */
@Injectable()
export class DropInRegistry {
  constructor(private readonly calls: DropInCalls) {}

  async search({ call, body }: DroppedIn): Promise<DropInAnswer> {
    const wanted = jsonObject(body);
    // Didit would send what it finds there by itself, unsigned, past the gateway's masks and its log.
    refuseMember(wanted, 'webhook_url', 'is not taken: ask again until search_resolved');
    const answer = await this.calls.forward(call, 'kyb.search', { body: { json: ownWords(call, wanted) } });
    return this.calls.masked(call, withOwnIds(clientTag(clientOf(call).id), answer));
  }

  /** A chosen company is saved as a session, and is its client's own. @throws ProblemError `not-found` for an id of another client's search. */
  async select({ call, body }: DroppedIn): Promise<DropInAnswer> {
    const wanted = jsonObject(body);
    const id = restored(clientTag(clientOf(call).id), requiredText(wanted, 'kyb_response_id'));
    if (id === undefined || id === null) throw new ProblemError('not-found', { rule: 'ownership.foreign' });
    const json = { ...ownWords(call, wanted), kyb_response_id: id };
    const answer = await this.calls.forward(call, 'kyb.select', { body: { json } });
    await this.calls.claim(call, answer, 'session', 'request_id');
    return this.calls.masked(call, answer);
  }
}

function withOwnIds(tag: string, answer: VendorAnswer): VendorAnswer {
  if (answer.code !== undefined) return answer;
  const body = answer.body as Json;
  const registry = body['kyb_registry'] as Json;
  const companies = (registry['companies'] as Json[]).map((company) =>
    typeof company['kyb_response_id'] === 'string'
      ? { ...company, kyb_response_id: namespaced(tag, company['kyb_response_id'], '') }
      : company,
  );
  return { ...answer, body: { ...body, kyb_registry: { ...registry, companies } } };
}
