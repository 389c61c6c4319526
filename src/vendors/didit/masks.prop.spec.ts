import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REPORTING } from './modules.js';
import { type OperationName, OPERATIONS } from './operations.js';
import { LEAN, LINK, masksWith, PII } from './testing/masks.js';
import { EVERY_MODULE, STANDALONE } from './testing/reports.js';

const masks = masksWith();
const operation = fc.constantFrom(...(Object.keys(OPERATIONS) as OperationName[]));

/** Every member name of the fixture, and envelopes around it: the names by which something could slip through. */
function namesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(namesOf);
  return Object.entries(value).flatMap(([name, member]) => [name, ...namesOf(member)]);
}
const ENVELOPES = ['results', 'count', 'next', 'request_id', 'id_verification', 'liveness', 'face_match', 'aml', 'url'];
const FIXTURES = [EVERY_MODULE, ...Object.values(STANDALONE)];
const NAMES = [...new Set([...FIXTURES.flatMap(namesOf), ...ENVELOPES, 'session_token', 'additional_details'])];

const shape = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6, depthSize: 'medium' },
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, fc.string()), tie('value'), {
        maxKeys: 8,
      }),
    ),
  })).value;

/** A fixture with some places taken by anything: shapes that are almost right reach deepest. */
const almost = (leaf: fc.Arbitrary<unknown>, bodies: readonly object[] = FIXTURES) =>
  fc
    .tuple(fc.constantFrom(...bodies), fc.array(fc.tuple(fc.nat(), shape(leaf)), { maxLength: 6 }))
    .map(([body, changes]) => {
      const copy: unknown = structuredClone(body);
      // A copy each: planted twice, one could come to stand within itself.
      for (const [at, change] of changes) plant(copy, at, structuredClone(change));
      return copy;
    });

function plant(root: unknown, at: number, change: unknown): void {
  const places: (() => void)[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const name of Object.keys(value)) {
      places.push(() => Reflect.set(value, name, change));
      walk(Reflect.get(value, name));
    }
  };
  walk(root);
  places[at % places.length]?.();
}

function leavesOf(value: unknown, name = ''): { name: string; leaf: unknown }[] {
  if (typeof value !== 'object' || value === null) return [{ name, leaf: value }];
  if (Array.isArray(value)) return value.flatMap((item) => leavesOf(item, name));
  return Object.entries(value).flatMap(([member, inner]) => leavesOf(inner, member));
}

/** The contract's list, in words of its own: which members a text may stand under without `pii:read`. */
const LISTED =
  /^(?:session_id|request_id|node_id|workflow_id|session_kind|status|environment|features|feature|risk|log_type|created_at|expires_at|document_type|issuing_state|vendor_data|next|previous|face_retention_outcome|url|session_token)$/;
/** What the further operations add to it. */
const MONITORING =
  /^(?:reason|kyb_response_id|type|risk_level|fetch_status|search_status|search_resolved|provider|screening_type|severity|blockchain|sanctions_hit|dominant_risk_category|didit_internal_id|country_code|updated_at|(?:first|last)_session_at|last_activity_at|uuid|transaction_type|action_type|direction|txn_date|decision_reason_code|txn_id|(?:subject|counterparty)_vendor_data|source|due_at|widget_session_id|features_list)$/;
const SESSIONLESS = /^(?:phone|email|kyb|wallet-screening|business|transaction)/;
const NUMBERS =
  /(?:^|_)score(?:_|$)|^(?:total_hits|count|session_number|workflow_version)$|name_match_score|^(?:total_matches|total|page|per_page|transaction_number|(?:session|approved|declined|in_review)_count)$/;

describe('without pii:read, whatever the shape of an answer', () => {
  const leaf = fc.oneof(
    fc.constantFrom('secret person', '1984-02-29', 'ES-secret-7788', null, true, 7, 'https://m.test/x?sig=1'),
    fc.string(),
  );
  const body = fc.oneof(shape(leaf), almost(leaf));

  it('nothing comes out but what the contract lists', () => {
    fc.assert(
      fc.property(operation, body, fc.constantFrom(LEAN, LINK), (name, input, rights) => {
        for (const { name: member, leaf: shown } of leavesOf(masks.answer(name, input, rights).value)) {
          if (shown === null || shown === undefined) continue;
          if (member === 'document_number') expect(Array.from(typeof shown === 'string' ? shown : '').length).toBe(4);
          else if (/^(?:date_of_birth|expiration_date)$/.test(member)) expect(shown).toMatch(/^\d{4}$/);
          else if (typeof shown === 'number' && NUMBERS.test(member)) expect(shown).toBeTypeOf('number');
          else if (SESSIONLESS.test(name) && MONITORING.test(member)) continue;
          else if (member !== 'session_url' || !rights.link) expect(member).toMatch(LISTED);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('what is told as unlisted holds no word of the answer', () => {
    fc.assert(
      fc.property(operation, body, (name, input) => {
        for (const path of masks.answer(name, input, LEAN).unlisted) {
          for (const step of path.split(/\[\]|\./).filter(Boolean)) expect([...NAMES, '*', ...EXTRA]).toContain(step);
        }
      }),
    );
  });
});

/** Names that masks list and the fixture has none of. */
const EXTRA = ['workflow_version', 'previous', 'biometric_template_uuid', 'face_retention_outcome'];

describe('with pii:read and without didit:media, whatever the shape of an answer', () => {
  const signed = fc
    .webUrl({ withQueryParameters: true })
    .map((url) => `${url}${url.includes('?') ? '&' : '?'}X-Amz-Signature=planted`);
  const encoded = fc
    .uint8Array({ minLength: 200, maxLength: 400 })
    .map((bytes) => Buffer.from(bytes).toString('base64'));
  const media = fc.oneof(
    signed,
    encoded,
    encoded.map((text) => `data:image/png;base64,${text}`),
  );

  it('no signed address and no file comes out, under any name', () => {
    fc.assert(
      fc.property(operation, fc.oneof(shape(media), almost(media)), (name, input) => {
        for (const { name: member, leaf } of leavesOf(masks.answer(name, input, PII).value)) {
          // The client's own reference and the page's own links are given back as they are.
          if (
            typeof leaf !== 'string' ||
            /^(?:(?:subject_|counterparty_)?vendor_data|txn_id|kyb_response_id|next|previous|url|session_token)$/.test(
              member,
            )
          )
            continue;
          expect(leaf).not.toContain('X-Amz-Signature=planted');
          expect(leaf).not.toMatch(/^[A-Za-z0-9+/=]{200,}$|^data:/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('no plain address comes out of a member that nobody knows', () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.stringMatching(/^[a-z]{12,20}$/), (url, member) => {
        const { value } = masks.answer('session.decision', { face_matches: [{ [member]: [{ deep: url }] }] }, PII);
        expect(value).toEqual({ face_matches: [{ [member]: [{}] }] });
      }),
    );
  });
});

describe('both spellings', () => {
  it('show the same reports', () => {
    const leaf = fc.oneof(fc.constantFrom('Approved', '1984-02-29', null, 5), fc.string());
    fc.assert(
      fc.property(almost(leaf, [EVERY_MODULE]), fc.constantFrom(LEAN, PII), (input, rights) => {
        const snake = masks.answer('session.decision', input, rights).value;
        const { result } = masks.result(input, rights);
        for (const { array: name, result: camelName } of REPORTING) {
          const camel = result[camelName] ?? [];
          const reports: unknown = Reflect.get(Object(snake), name);
          const objects = Array.isArray(reports)
            ? reports.filter((item) => typeof item === 'object' && item !== null && !Array.isArray(item))
            : [];
          expect(camel.map((item) => leavesOf(item).map((found) => found.leaf))).toEqual(
            objects.map((item) => leavesOf(item).map((found) => found.leaf)),
          );
        }
      }),
    );
  });
});
