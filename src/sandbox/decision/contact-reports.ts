import { instant } from './instant.js';
import { Float, type Json, type JsonObject } from '../wire/json.js';

/** One thing that happened while a contact was verified. `fee` is what Didit charges for it. */
export interface ContactEvent {
  readonly type: string;
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  readonly details: Json;
  readonly fee: number;
}

export interface ContactFacts {
  readonly attempts: number;
  /** Wall clock; null while no code was right. */
  readonly verifiedAt: number | null;
  readonly events: readonly ContactEvent[];
}

const countries: readonly (readonly [prefix: string, code: string, name: string])[] = [
  ['+34', 'ES', 'Spain'],
  ['+49', 'DE', 'Germany'],
  ['+44', 'GB', 'United Kingdom'],
  ['+33', 'FR', 'France'],
  ['+1', 'US', 'United States'],
];

/** A number whose last digits say so is one of a provider of Internet telephony. */
export const isVirtualNumber = (phone: string): boolean => phone.endsWith('0006');

const partsOf = (phone: string) => {
  const [prefix = phone.slice(0, 3), code = null, name = ''] =
    countries.find(([start]) => phone.startsWith(start)) ?? [];
  return { prefix, code, name };
};

export const phoneReport = (phone: string, facts: ContactFacts): JsonObject => {
  const { prefix, code, name } = partsOf(phone);
  const virtual = isVirtualNumber(phone);
  return {
    phone_number_prefix: prefix,
    phone_number: phone.slice(prefix.length),
    full_number: phone,
    country_code: code,
    country_name: name,
    carrier: { name: virtual ? 'Voz Virtual' : 'Móvil de Prueba', type: virtual ? 'voip' : 'mobile' },
    is_disposable: false,
    is_virtual: virtual,
    verification_method: 'whatsapp',
    ...shared(facts),
  };
};

/** The smaller form that applications in test mode answer with. */
export const flatPhoneReport = (phone: string): JsonObject => ({
  phone_number: phone,
  country_code: partsOf(phone).code,
  carrier_name: 'Móvil de Prueba',
  line_type: isVirtualNumber(phone) ? 'voip' : 'mobile',
  flags: [],
});

export const isDisposable = (email: string): boolean => email.endsWith('@disposable.example');
export const isBreached = (email: string): boolean => email.endsWith('@breached.example');

export const emailReport = (email: string, facts: ContactFacts): JsonObject => ({
  email,
  is_breached: isBreached(email),
  breaches: isBreached(email) ? [breach] : [],
  is_disposable: isDisposable(email),
  is_undeliverable: false,
  ...shared(facts),
});

const breach: JsonObject = {
  name: 'ExampleApp',
  domain: 'exampleapp.example',
  breach_date: '2019-03-21',
  breach_emails_count: 763_117,
  description: 'In March 2019 an invented breach exposed invented addresses and passwords.',
  logo_path: 'https://exampleapp.example/logo.png',
  data_classes: ['email_addresses', 'passwords'],
  is_verified: true,
};

const shared = ({ attempts, verifiedAt, events }: ContactFacts): JsonObject => ({
  verification_attempts: attempts,
  verified_at: verifiedAt === null ? null : instant(verifiedAt),
  lifecycle: events.map(({ type, at, details, fee }) => ({
    type,
    timestamp: instant(at).replace('Z', '+00:00'),
    details,
    fee: fee === 0 ? 0 : new Float(fee),
  })),
  matches: [],
});
