import { isBusiness, type Feature } from '../decision/features.js';
import { fullName } from '../decision/people.js';
import { instant } from '../decision/instant.js';
import { faceMatchScore, hostedUrl, livenessScore } from '../decision/render.js';
import { screenedData, screeningReport } from '../decision/screening-report.js';
import type { Session } from '../sessions/session.js';
import { json, type Answer } from '../wire/answers.js';
import { Float, scalarText, type Json, type JsonObject } from '../wire/json.js';
import type { World } from '../world.js';
import type { Call } from './operation.js';
import { pageOf } from './pages.js';
import { readFilters } from './session-filters.js';

/** `GET /v3/sessions/`: newest first, by limit and offset, with absolute addresses of the pages beside. */
export const listSessions = (call: Call, world: World): Answer => {
  const { query } = call;
  const vendorData = query.get('vendor_data') || undefined;
  call.entry.vendorData = vendorData ?? null;
  const { errors, matches } = readFilters(query);
  if (Object.keys(errors).length > 0) return json(400, errors);
  const found = [...world.store.newestFirst(vendorData)].filter(matches);
  return json(
    200,
    pageOf(call, world, found, (session) => row(session, world)),
  );
};

const row = (session: Session, world: World): JsonObject => {
  const read = session.checks.has('ID_VERIFICATION');
  const { person } = session;
  const links = world.media.links(world.origin, session.id, world.clock.wall());
  return {
    session_id: session.id,
    session_kind: isBusiness(session.features) ? 'business' : 'user',
    session_number: session.number,
    session_url: hostedUrl(session, world.origin),
    portrait_image: portrait(session, links),
    document_type: read ? person.documentType : null,
    full_name: knownName(session),
    country: read ? person.country.alpha3 : null,
    status: session.status,
    vendor_data: session.vendorData,
    didit_internal_id: null,
    created_at: instant(session.createdAt),
    features: session.features.map((feature) => ({
      feature,
      status: rowStatus(session.checks.get(feature)?.status),
    })),
    phone_number: contact(session, 'phone', 'number'),
    email_address: contact(session, 'email', 'email'),
    additional_details: extras(session, links),
  };
};

/** A row knows fewer verdicts than a report: a document that expired since shows as declined. */
const rowStatus = (status: string | undefined): string =>
  status === 'Expired' ? 'Declined' : (status ?? 'Not Finished');

const portrait = (session: Session, links: (file: string) => string): string | null => {
  if (session.checks.has('ID_VERIFICATION')) return links('portrait.png');
  return session.checks.has('LIVENESS') ? links('selfie.png') : null;
};

const knownName = (session: Session): string | null => {
  if (session.checks.has('ID_VERIFICATION')) return fullName(session.person);
  if (session.screened !== null) return session.screened.fullName;
  const { first_name: first, last_name: last } = session.expectedDetails ?? {};
  const names = [scalarText(first), scalarText(last)].filter((name) => name !== '');
  return names.length > 0 ? names.join(' ') : null;
};

const contact = (session: Session, member: string, name: string): Json => {
  const value = session.contactDetails?.[member];
  return typeof value === 'string' && value !== '' ? { [name]: value, is_verified: false } : null;
};

const extras = (session: Session, links: (file: string) => string): Json => {
  const parts: Partial<Record<Feature, () => JsonObject>> = {
    LIVENESS: () => ({
      liveness: {
        method: 'PASSIVE',
        score: new Float(session.checks.get('LIVENESS')?.score ?? livenessScore(session.scenario)),
      },
    }),
    FACE_MATCH: () => ({
      face_match: {
        score: new Float(session.checks.get('FACE_MATCH')?.score ?? faceMatchScore(session.scenario)),
        source_image: links('portrait.png'),
        target_image: links('selfie.png'),
      },
    }),
    AML: () => ({ aml: screeningExtras(session) }),
  };
  const present = [...session.checks.keys()].flatMap((feature) => parts[feature]?.() ?? []);
  return present.length > 0 ? Object.assign({}, ...present) : null;
};

const screeningExtras = (session: Session): JsonObject => {
  const screened = screenedData(session);
  const known = Object.entries({
    nationality: screened.nationality,
    document_number: screened.documentNumber,
    date_of_birth: screened.dateOfBirth,
  }).filter(([, value]) => value !== null);
  return {
    total_hits: screeningReport(session)['total_hits'] ?? 0,
    entity_type: screened.entityType,
    is_adverse_media_fetched: false,
    screened_data: Object.fromEntries(known),
  };
};
