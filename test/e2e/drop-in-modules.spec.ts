import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import { until } from '../support/system.js';

const system = sharedSystem();
const { piiClient, publicUrl, ...bank } = system.credentials;

type Json = Record<string, unknown>;

const ask = (path: string, body?: Json, client = piiClient) =>
  system.didit<Json>(path, body === undefined ? {} : { body }, client);

function upload(path: string, fields: Record<string, string>, part: string, file = 'a.png', client = piiClient) {
  const texts = Object.entries(fields).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--b\r\nContent-Disposition: form-data; name="${part}"; filename="${file}"\r\nContent-Type: image/png\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(texts.join('') + head), randomBytes(2_000), Buffer.from('\r\n--b--\r\n')]);
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  return system.didit<Json>(path, { method: 'POST', body, headers }, client);
}

const number = () => `+346${randomBytes(4).readUInt32BE().toString().padStart(10, '0').slice(0, 8)}`;

describe('a check without a session', () => {
  it.each([
    ['poa/', 'document', 'poa', {}],
    ['age-estimation/', 'user_image', 'age_estimation', {}],
    ['document-ai/', 'document', 'document_ai', { fields: '[{"key":"holder"}]' }],
  ])('passes its file through and answers as Didit does: %s', async (path, part, report, fields) => {
    const { status, body } = await upload(path, { vendor_data: 'cust-7', ...fields }, part);
    expect(status).toBe(200);
    expect(body).toMatchObject({ vendor_data: 'cust-7', [report]: { status: 'Approved' } });
    expect((await ask(`session/${String(body['request_id'])}/decision/`)).status).toBe(200);
  });

  it('says nothing of a person to who may not see persons', async () => {
    const personal = await upload('poa/', {}, 'document');
    expect(personal.body['poa']).toMatchObject({ name_on_document: expect.any(String) as string });
    const lean = await upload('poa/', {}, 'document', 'a.png', bank);
    expect(lean.body['poa']).toEqual({
      status: 'Approved',
      issuing_state: expect.any(String) as string,
      document_type: 'UTILITY_BILL',
      expiration_date: null,
      warnings: [],
    });
  });

  it('hands on what Didit refuses, field by field', async () => {
    const late = await upload('poa/', { poa_languages_allowed: 'xx' }, 'document');
    expect([late.status, late.headers['gatehouse-code']]).toEqual([400, 'invalid-request']);
    expect(late.body['poa_languages_allowed']).toEqual([expect.stringContaining('Invalid language code')]);
    const options = { phone_number: number(), options: { code_size: 9 } };
    expect((await ask('phone/send/', options)).body).toEqual({
      options: { code_size: ['Ensure this value is less than or equal to 8.'] },
    });
  });

  it('takes a picture of the face beside what a register is asked', async () => {
    const { body } = await upload('database-validation/', { issuing_state: 'ESP' }, 'selfie');
    expect(body).toMatchObject({ database_validation: { status: 'Approved', match_type: 'full_match' } });
  });

  it('is the vendor’s trouble when a register says nothing', async () => {
    const body = { issuing_state: 'BRA', tax_number: '12345678900', last_name: 'Outage' };
    const answer = await ask('database-validation/', body);
    expect([answer.status, answer.body['code']]).toEqual([502, 'vendor-error']);
  });

  it('needs its own right, and is described with it', async () => {
    const { body } = await system.call<{ paths: Record<string, Record<string, Json>> }>(`${publicUrl}/openapi.json`);
    const rights = (path: string, method: string) => body.paths[`/didit/v3/${path}`]?.[method]?.['x-gatehouse-rights'];
    expect(rights('poa', 'post')).toEqual(['didit:standalone']);
    expect(rights('phone/check', 'post')).toEqual(['didit:otp']);
    expect(rights('kyb/select', 'post')).toEqual(['didit:business:write']);
    expect(rights('transactions/{transactionId}', 'get')).toEqual(['didit:transactions:read']);
    const described = JSON.stringify(body.paths['/didit/v3/businesses/{vendorData}']?.['get']?.['parameters']);
    expect(described).toContain('"name":"vendorData"');
  });
});

describe('a one-time code', () => {
  it('is tried as Didit lets it be tried', async () => {
    const phone_number = number();
    const sent = await ask('phone/send/', { phone_number, vendor_data: 'cust-8' });
    expect(sent.body).toMatchObject({ status: 'Success', vendor_data: 'cust-8' });
    const wrong = await ask('phone/check/', { phone_number, code: '111111' });
    expect(wrong.body).toMatchObject({ status: 'Failed', phone: null });
    const right = await ask('phone/check/', { phone_number, code: '123456' });
    expect(right.body).toMatchObject({
      status: 'Approved',
      request_id: sent.body['request_id'],
      vendor_data: 'cust-8',
    });
    const again = await ask('phone/check/', { phone_number, code: '123456' });
    expect([again.status, again.body['status']]).toEqual([200, 'Expired or Not Found']);
  });

  it.each([{}, { phone_number: 7 }, { phone_number: ' ' }])('goes nowhere with %j', async (body) => {
    const answer = await ask('phone/send/', body);
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid-request']);
    expect(answer.body['errors']).toMatchObject([{ pointer: '/phone_number' }]);
  });
});

describe('companies and transactions', () => {
  it('are never told past the gateway', async () => {
    const body = { country_code: 'GB', name: 'acme', webhook_url: 'https://bank.example/hook' };
    const answer = await ask('kyb/search/', body);
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid-request']);
    expect(answer.body['errors']).toMatchObject([{ pointer: '/webhook_url' }]);
  });

  it('know a business by the client’s own reference, whatever is in it', async () => {
    const vendor_data = `a/b c?d#${randomUUID()}`;
    await ask('businesses/create/', { vendor_data, legal_name: 'Acme Ltd' });
    const path = `businesses/${encodeURIComponent(vendor_data)}/`;
    const updated = await system.didit<Json>(path, { method: 'PATCH', body: { display_name: 'Acme' } }, piiClient);
    expect(updated.body).toMatchObject({ vendor_data, effective_name: 'Acme' });
    const list = await ask('businesses/?limit=1');
    expect(list.body).toMatchObject({ count: expect.any(Number) as number, results: [{ vendor_data }] });
  });

  it('give the session of a customer who has to be verified first to who made the transaction', async () => {
    const made = await ask('transactions/', {
      transaction_id: `big-${randomUUID()}`,
      transaction_category: 'finance',
      transaction_details: { direction: 'outbound', amount: 60_000, currency: 'EUR' },
      subject: { vendor_data: 'cust-9', full_name: 'Nuria Ferrer' },
      custom_properties: { vendor_data: 'mine' },
    });
    const action = made.body['action_required'] as Json;
    expect(made.body).toMatchObject({
      status: 'AWAITING_USER',
      vendor_data: 'cust-9',
      metadata: { subject: { vendor_data: 'cust-9' } },
      props: { vendor_data: 'mine' },
    });
    expect(action['url']).toContain(String(action['session_token']));
    expect((await ask(`session/${String(action['session_id'])}/decision/`)).body['vendor_data']).toBe('cust-9');
    const read = await ask(`transactions/${String(made.body['uuid'])}/`, undefined, piiClient);
    expect(read.body['status']).toBe('AWAITING_USER');
  });

  it('refuse an id that would not fit beside the client’s own mark', async () => {
    const answer = await ask('transactions/', { transaction_id: 'x'.repeat(106) });
    expect(answer.body['errors']).toMatchObject([{ pointer: '/transaction_id' }]);
  });

  it('leave a record of each, and of what was meant before it was done', async () => {
    const made = await ask('businesses/create/', { vendor_data: `rec-${randomUUID()}` });
    const id = String(made.headers['gatehouse-record']);
    await until(async () => {
      const { body } = await system.admin<{ record: { kind: string; vendor: Json } }>(`/audit/records/${id}`, {
        scope: 'auditor',
      });
      return body.record?.kind === 'call' && body.record.vendor['operation'] === 'business.create';
    });
  });
});
