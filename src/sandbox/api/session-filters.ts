import { featureNames, isBusiness } from '../decision/features.js';
import { fullName } from '../decision/people.js';
import { warningsOf } from '../decision/render.js';
import type { Session } from '../sessions/session.js';
import type { JsonObject } from '../wire/json.js';

type Matches = (session: Session) => boolean;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const day = 86_400_000;

const services =
  'ID_VERIFICATION FACE_MATCH AGE_ESTIMATION FACE_SEARCH POA AML KYB_REGISTRY PASSIVE_LIVENESS DATABASE_VALIDATION PHONE_VERIFICATION EMAIL_VERIFICATION'.split(
    ' ',
  );

/**
 * The filters of the list, all of which must hold. A malformed typed value is an error; an unknown value of a
 * comma-separated one merely matches nothing. `vendor_data` is not here: the store looks it up.
 */
export const readFilters = (query: URLSearchParams): { readonly errors: JsonObject; readonly matches: Matches } => {
  const errors = checkTyped(query);
  const tests: Matches[] = [];
  const one = (name: string, test: (session: Session, value: string) => boolean): void => {
    const value = query.get(name);
    if (value !== null && value !== '') tests.push((session) => test(session, value));
  };
  const listed = (name: string, read: (session: Session) => readonly (string | null)[]): void =>
    one(name, (session, value) => {
      const wanted = value.split(',');
      return read(session).some((found) => found !== null && wanted.includes(found));
    });

  one('session_kind', ({ features }, kind) =>
    ['all', isBusiness(features) ? 'business' : 'user'].includes(kind.toLowerCase()),
  );
  listed('status', (session) => [session.status]);
  one('workflow_id', workflowMatches);
  one('date_from', (session, date) => session.createdAt >= Date.parse(date));
  one('date_to', (session, date) => session.createdAt < Date.parse(date) + day);
  one('session_type', (session, value) => ['ALL', session.type].some((type) => value.split(',').includes(type)));
  one('api_service', (session, service) => serviceOf(session) === service);
  listed('country', (session) => [whenRead(session, session.person.country.alpha3)]);
  listed('document_type', (session) => [whenRead(session, session.person.documentType === 'Passport' ? 'P' : 'ID')]);
  listed('warning', warningsOf);
  one('screened_full_name', (session, name) => plain(session.screened?.fullName ?? '').includes(plain(name)));
  one('search', found);
  for (const never of ['document_name', 'region', 'didit_internal_id', 'euuid']) one(never, () => false);
  return { errors, matches: (session) => tests.every((test) => test(session)) };
};

const checkTyped = (query: URLSearchParams): JsonObject => {
  const errors: JsonObject = {};
  const kind = query.get('session_kind');
  if (kind !== null && !['user', 'business', 'all', ''].includes(kind.toLowerCase())) {
    errors['session_kind'] = 'Must be "user", "business", or "all".';
  }
  for (const name of ['date_from', 'date_to']) {
    const value = query.get(name);
    if (value && !(/^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value)))) {
      errors[name] = ['Enter a valid date.'];
    }
  }
  for (const name of ['didit_internal_id', 'euuid']) {
    const value = query.get(name);
    if (value && !uuid.test(value)) errors[name] = ['Enter a valid UUID.'];
  }
  const service = query.get('api_service');
  if (service && !services.includes(service)) {
    errors['api_service'] = [`Select a valid choice. ${service} is not one of the available choices.`];
  }
  return errors;
};

const workflowMatches = (session: Session, value: string): boolean =>
  value
    .split(',')
    .filter((id) => uuid.test(id))
    .some((id) => id.toLowerCase() === session.workflowId);

const whenRead = (session: Session, value: string): string | null =>
  session.checks.has('ID_VERIFICATION') ? value : null;

const serviceOf = (session: Session): string | null => {
  const [feature] = session.features;
  return session.type === 'API' && feature !== undefined ? featureNames[feature].service : null;
};

/** A UUID looks for a session, digits for the start of a number, an `@` for the start of an address, other text for names. */
const found = (session: Session, text: string): boolean => {
  if (uuid.test(text)) return session.id === text.toLowerCase();
  const wanted = plain(text);
  if (/^[\d+\-. ]+$/.test(text) && String(session.number).startsWith(text.replace(/\D/g, ''))) return true;
  const email = session.contactDetails?.['email'];
  if (text.includes('@') && typeof email === 'string' && plain(email).startsWith(wanted)) return true;
  return searchable(session).some((candidate) => plain(candidate).includes(wanted));
};

const searchable = (session: Session): readonly string[] => [
  session.vendorData ?? '',
  session.screened?.fullName ?? '',
  ...(session.checks.has('ID_VERIFICATION')
    ? [fullName(session.person), session.person.documentNumber, session.person.personalNumber]
    : []),
];

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
