import { Injectable } from '@nestjs/common';
import { clientOf } from '../../platform/index.js';
import { clientTag, namespaced, restored } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from './drop-in-calls.js';
import { DropInList } from './drop-in-list.js';
import type { DroppedIn } from './dropped-in.js';
import { jsonObject, ownVendorData } from './request-body.js';

/**
 * Didit's file of businesses. They are called by the client's own reference, which is in its namespace at Didit: whatever a client asks for, it
 * can only name its own.
 */
@Injectable()
export class DropInBusinesses {
  constructor(
    private readonly calls: DropInCalls,
    private readonly lists: DropInList,
  ) {}

  async create({ call, body }: DroppedIn): Promise<DropInAnswer> {
    const wanted = jsonObject(body);
    const written = ownVendorData(wanted['vendor_data']);
    const json = { ...wanted, vendor_data: namespaced(clientTag(clientOf(call).id), written, call.id) };
    return this.calls.masked(call, await this.calls.forward(call, 'business.create', { body: { json } }));
  }

  async get(request: DroppedIn): Promise<DropInAnswer> {
    const { call } = request;
    return this.calls.masked(call, await this.calls.forward(call, 'business.get', { params: paramsOf(request) }));
  }

  async change(operation: 'business.update' | 'business.update-status', request: DroppedIn): Promise<DropInAnswer> {
    const { call, body } = request;
    // Whose it is does not change.
    const { vendor_data: _, ...json } = jsonObject(body);
    const answer = await this.calls.forward(call, operation, { params: paramsOf(request), body: { json } });
    return this.calls.masked(call, answer);
  }

  async list({ call, query }: DroppedIn): Promise<DropInAnswer> {
    const tag = clientTag(clientOf(call).id);
    return this.lists.list(call, query, {
      operation: 'business.list',
      idOf: (row) => String(row['didit_internal_id']),
      ownOf: (rows) => Promise.resolve(rows.filter((row) => restored(tag, row['vendor_data']) !== undefined)),
    });
  }
}

function paramsOf({ call, params }: DroppedIn): { vendorData: string } {
  return { vendorData: namespaced(clientTag(clientOf(call).id), params['vendorData'] ?? '', call.id) };
}
