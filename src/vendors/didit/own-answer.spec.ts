import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clientTag, namespaced, ownAnswer } from './vendor-data.js';

const [mine, theirs] = [clientTag(randomUUID()), clientTag(randomUUID())];
const own = (written: string) => namespaced(mine, written, '');
const foreign = (written: string) => namespaced(theirs, written, '');

describe('a face search as one client’s', () => {
  const match = (vendor_data: string) => ({ session_id: randomUUID(), vendor_data, is_blocklisted: false });
  const duplicate = { risk: 'DUPLICATED_FACE', additional_data: { duplicated_session_id: randomUUID() } };
  const blocked = { risk: 'FACE_IN_BLOCKLIST', additional_data: { entry: 'whose' } };
  const search = (matches: object[], warnings: object[], status = 'Approved') =>
    ownAnswer(mine, 'face-search', { face_search: { status, total_matches: matches.length, matches, warnings } });

  it('shows and counts its own matches alone', () => {
    const kept = match(own('cust-1'));
    expect(search([match(foreign('x')), kept, match('unmarked')], [duplicate])).toEqual({
      face_search: {
        status: 'Approved',
        total_matches: 1,
        matches: [{ ...kept, vendor_data: 'cust-1' }],
        warnings: [{ risk: 'DUPLICATED_FACE', additional_data: null }],
      },
    });
  });

  it('does not warn of faces that only others have, and declines what is on the block list', () => {
    expect(search([match(foreign('x'))], [duplicate, blocked], 'Declined')).toEqual({
      face_search: {
        status: 'Declined',
        total_matches: 0,
        matches: [],
        warnings: [{ risk: 'FACE_IN_BLOCKLIST', additional_data: null }],
      },
    });
  });

  it.each([[null], [{}], [{ face_search: null }], [{ face_search: { matches: 'none', warnings: 3 } }]])(
    'is none for %j',
    (body) => {
      expect(() => ownAnswer(mine, 'face-search', body)).not.toThrow();
    },
  );
});

describe('a transaction as one client’s', () => {
  it('has the client’s own names back, those that Didit repeats in its metadata too', () => {
    const body = {
      txn_id: own('pay-1'),
      vendor_data: own('cust-1'),
      metadata: { subject: { vendor_data: own('cust-1') }, counterparty: { vendor_data: foreign('x') } },
      props: { vendor_data: 'the client’s word', txn_id: 7 },
      parties: [{ vendor_data: own('cust-1') }],
    };
    expect(ownAnswer(mine, 'transaction.get', body)).toEqual({
      txn_id: 'pay-1',
      vendor_data: 'cust-1',
      metadata: { subject: { vendor_data: 'cust-1' }, counterparty: { vendor_data: null } },
      props: body.props,
      parties: [{ vendor_data: 'cust-1' }],
    });
  });
});
