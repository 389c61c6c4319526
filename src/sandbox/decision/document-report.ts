import type { Session } from '../sessions/session.js';
import { Float, type JsonObject } from '../wire/json.js';
import type { MediaLinks } from './media.js';
import { machineReadableZone } from './mrz.js';
import { ageAt, fullName, type Person } from './people.js';

const day = 86_400_000;

/** What was read from the document: the members that the decision and the standalone answer share. */
export const documentReport = (session: Session, links: MediaLinks): JsonObject => {
  const { person } = session;
  const expirationDate = expirationOf(session);
  const card = person.documentType === 'Identity Card';
  const side = (name: string): string | null => (card ? links(name) : null);
  return {
    document_type: person.documentType,
    document_subtype: card ? 'ID_CARD_GENERIC' : 'PASSPORT_GENERIC',
    document_number: person.documentNumber,
    personal_number: person.personalNumber,
    portrait_image: links('portrait.png'),
    front_image: links('front.png'),
    front_video: links('front.mp4'),
    back_image: side('back.png'),
    back_video: side('back.mp4'),
    full_front_image: links('full_front.png'),
    full_back_image: side('full_back.png'),
    front_image_camera_front: null,
    back_image_camera_front: null,
    front_image_camera_front_face_match_score: null,
    back_image_camera_front_face_match_score: null,
    front_image_quality_score: quality(85.3, 88.7),
    back_image_quality_score: card ? quality(79, 85.2) : null,
    date_of_birth: person.dateOfBirth,
    age: ageAt(person.dateOfBirth, session.createdAt),
    expiration_date: expirationDate,
    date_of_issue: `${Number(expirationDate.slice(0, 4)) - 10}${expirationDate.slice(4).replace('-02-29', '-02-28')}`,
    issuing_state: person.country.alpha3,
    issuing_state_name: person.country.name,
    first_name: person.firstName,
    last_name: person.lastName,
    full_name: fullName(person),
    gender: person.gender,
    address: addressLine(person),
    formatted_address: `${addressLine(person)}, ${person.country.name}`,
    place_of_birth: person.placeOfBirth,
    marital_status: person.maritalStatus,
    nationality: person.country.alpha3,
    extra_fields: extraFields(person),
    mrz: machineReadableZone(person, expirationDate),
    parsed_address: parsedAddress(person),
    extra_files: [],
    matches: [],
  };
};

/** Five years ahead of the session, or forty days behind it where the document had expired. */
export const expirationOf = (session: Pick<Session, 'scenario' | 'createdAt'>): string => {
  const days = session.scenario === 'expired-document' ? -40 : 5 * 365;
  return new Date(session.createdAt + days * day).toISOString().slice(0, 10);
};

const addressLine = ({ address }: Person): string => `${address.street}, ${address.postalCode} ${address.city}`;

const quality = (focus: number, overall: number): JsonObject => ({
  focus_score: new Float(focus),
  brightness_score: new Float(92.1),
  brightness_issue: 'ok',
  is_document_fully_visible: true,
  resolution_score: new Float(72.4),
  overall_score: new Float(overall),
});

const extraFields = (person: Person): JsonObject => {
  const [firstSurname = '', secondSurname = ''] = person.lastName.split(/[ -]/);
  const native: JsonObject =
    person.nativeName === null ? {} : { full_name_latin: fullName(person), full_name_non_latin: person.nativeName };
  return {
    dl_categories: [],
    blood_group: null,
    first_surname: firstSurname,
    second_surname: secondSurname,
    ...native,
  };
};

const parsedAddress = (person: Person): JsonObject => {
  const { address, country } = person;
  const formatted = `${addressLine(person)}, ${country.name}`;
  return {
    address_type: address.streetType,
    street_1: address.street,
    street_2: null,
    city: address.city,
    region: address.region,
    country: country.alpha2,
    postal_code: address.postalCode,
    formatted_address: formatted,
    label: `${country.name} ${person.documentType} Address`,
    category: 'Residential',
    is_verified: true,
    document_location: { latitude: new Float(address.latitude), longitude: new Float(address.longitude) },
    raw_results: {
      types: ['street_address'],
      geometry: {
        location: { lat: new Float(address.latitude), lng: new Float(address.longitude) },
        location_type: 'ROOFTOP',
      },
      formatted_address: formatted,
      address_components: [
        { types: ['route'], long_name: address.street, short_name: address.street },
        { types: ['locality', 'political'], long_name: address.city, short_name: address.city },
        { types: ['country', 'political'], long_name: country.name, short_name: country.alpha2 },
        { types: ['postal_code'], long_name: address.postalCode, short_name: address.postalCode },
      ],
    },
  };
};
