import { describe, expect, it } from 'vitest';
import { clientTag } from '../../vendors/index.js';
import { pageUrl, readListQuery, upstream } from './list-query.js';

const tag = clientTag('0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b');

describe('readListQuery', () => {
  it('keeps the filters that Didit knows', () => {
    expect(
      readListQuery('session.list', { status: 'Approved,Declined', warning: ['A', 'B'], nonsense: 'x', search: '' }),
    ).toEqual({
      filters: { status: 'Approved,Declined', warning: ['A', 'B'] },
      operation: 'session.list',
      limit: 50,
      offset: 0,
    });
    expect(readListQuery('transaction.list', { status: 'APPROVED', limit: '7' })).toMatchObject({
      filters: {},
      limit: 7,
    });
  });

  it.each([
    [{ limit: '10', offset: '20' }, 10, 20],
    [{ limit: '0', offset: '-1' }, 50, 0],
    [{ limit: 'all', offset: '1e3' }, 50, 0],
    [{ limit: '100000' }, 100, 0],
  ])('reads %j', (query, limit, offset) => {
    expect(readListQuery('session.list', query)).toMatchObject({ limit, offset });
  });
});

describe('upstream', () => {
  it('asks for vendor_data in the namespace of the client', () => {
    expect(upstream({ vendor_data: 'cust-42', status: 'Approved' }, tag)).toEqual({
      vendor_data: [`${tag}:cust-42`],
      status: 'Approved',
    });
  });
});

describe('pageUrl', () => {
  it('is the same list at the gateway, with what the client wrote', () => {
    const query = readListQuery('session.list', { vendor_data: 'cust 42&x', limit: '10' });
    expect(pageUrl('https://gateway.example', query, 10)).toBe(
      'https://gateway.example/didit/v3/sessions/?vendor_data=cust+42%26x&limit=10&offset=10',
    );
    expect(pageUrl('https://gateway.example', query, 0)).not.toContain('offset');
    expect(pageUrl('https://gateway.example', readListQuery('business.list', {}), 50)).toBe(
      'https://gateway.example/didit/v3/businesses/?limit=50&offset=50',
    );
  });
});
