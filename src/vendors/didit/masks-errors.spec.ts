import { describe, expect, it } from 'vitest';
import { masksWith } from './testing/masks.js';

const masks = masksWith();

describe('errors that are passed on', () => {
  it.each([
    [{ detail: 'Not found.' }],
    [{ detail: 'Deleted.', code: 'application_deleted' }],
    [{ detail: ['Only finished sessions.'] }],
    [{ workflow_id: ['This field is required.'] }],
    [{ vendor_data: 'This user or business has been blocked.' }],
    [{ expected_details: { date_of_birth: ['Date has wrong format.'] } }],
    [{ non_field_errors: ['Nothing to do.'] }],
    [['The new status is the same as the current status.']],
    [{ error: 'COULD_NOT_RECOGNIZE_DOCUMENT' }],
    [{ error: ['AML weights must sum to 100.'] }],
    [{ nodes_to_resubmit: [{ feature: ['"BOGUS" is not a valid choice.'] }] }],
  ])('keep the shapes of Didit: %j', (body) => {
    expect(masks.error(body)).toEqual({ value: body, unlisted: [] });
  });

  it.each([
    [{ received: { full_name: 'Nuria' } }],
    [{ detail: { full_name: 'Nuria' } }],
    [{ detail: 'x'.repeat(2_000) }],
    [{ error: 'https://s3.test/x?X-Amz-Signature=1' }],
    [[{ full_name: 'Nuria' }]],
    [{}],
    ['Nuria'],
    [null],
    [undefined],
  ])('hold nothing of what is none of them: %.40j', (body) => {
    expect(masks.error(body).value).toBeUndefined();
  });

  it('drop what stands beside the known members', () => {
    expect(masks.error({ detail: 'No.', echo: { name: 'Nuria' } })).toEqual({
      value: { detail: 'No.' },
      unlisted: ['*'],
    });
  });
});
