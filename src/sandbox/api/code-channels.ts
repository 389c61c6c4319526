import {
  emailReport,
  flatPhoneReport,
  isBreached,
  isDisposable,
  isVirtualNumber,
  phoneReport,
  type ContactEvent,
  type ContactFacts,
} from '../decision/contact-reports.js';
import type { JsonObject } from '../wire/json.js';
import type { Fields } from './fields.js';

type Action = 'NO_ACTION' | 'DECLINE' | null;

/** What differs between codes by phone and codes by e-mail. */
export interface Channel {
  readonly feature: 'PHONE' | 'EMAIL_VERIFICATION';
  /** Key of the report in an answer. */
  readonly report: string;
  /** Beginning of its events' names. */
  readonly event: string;
  readonly actions: readonly string[];
  readonly sentEvent: Omit<ContactEvent, 'at'>;
  readonly readAddress: (fields: Fields) => string | null;
  readonly readOptions: (fields: Fields) => void;
  readonly readCode: (fields: Fields) => string | null;
  /** Why nothing can be sent there. */
  readonly refuses: (address: string) => { readonly status: string; readonly reason: string } | null;
  readonly risks: (address: string, actions: Record<string, Action>) => { risk: string; declines: boolean }[];
  readonly fullReport: (address: string, facts: ContactFacts) => JsonObject;
  /** The smaller form of an application in test mode, where it has one. */
  readonly flatReport?: (address: string) => JsonObject;
}
export type ChannelName = 'phone' | 'email';

const invalidPhone = 'Invalid phone number provided.';
const mailLanguages =
  'en ar bn bg bs ca cs da de el es et fa fi fr he hi hr hu hy id it ja ka kk ko ky lt lv cnr mk mn ms nl no pl pt-BR pt ro ru sk sl so sq sr sv th tr uk uz vi zh-CN zh-TW zh'.split(
    ' ',
  );

export const channels: Readonly<Record<ChannelName, Channel>> = {
  phone: {
    feature: 'PHONE',
    report: 'phone',
    event: 'PHONE_VERIFICATION',
    actions: ['duplicated_phone_number_action', 'disposable_number_action', 'voip_number_action'],
    sentEvent: {
      type: 'PHONE_VERIFICATION_MESSAGE_SENT',
      details: { status: 'Success', reason: null, channel: 'whatsapp', actual_channel: 'whatsapp' },
      fee: 0.0709,
    },
    readAddress: (fields) =>
      fields.text('phone_number', { required: true, pattern: /^\+[1-9]\d{7,14}$/, sentence: invalidPhone }),
    readOptions: (fields) =>
      void fields.nested('options', (options) => {
        options.number('code_size', 6, 4, 8);
        options.text('locale', { max: 5 });
        options.choice('preferred_channel', ['whatsapp', 'sms', 'telegram', 'voice', 'rcs', 'viber', 'zalo']);
      }),
    readCode: (fields) =>
      fields.text('code', {
        required: true,
        pattern: /^\d{4,8}$/,
        sentence: 'Invalid code format. Enter 4 to 8 numeric digits.',
      }),
    refuses: (phone) => (phone.endsWith('0000000') ? { status: 'Blocked', reason: 'repeated_attempts' } : null),
    risks: (phone, actions) =>
      isVirtualNumber(phone)
        ? [{ risk: 'VOIP_NUMBER_DETECTED', declines: actions['voip_number_action'] === 'DECLINE' }]
        : [],
    fullReport: phoneReport,
    flatReport: flatPhoneReport,
  },
  email: {
    feature: 'EMAIL_VERIFICATION',
    report: 'email',
    event: 'EMAIL_VERIFICATION',
    actions: ['duplicated_email_action', 'breached_email_action', 'disposable_email_action'],
    sentEvent: {
      type: 'EMAIL_VERIFICATION_MESSAGE_SENT',
      details: { status: 'Success', reason: null },
      fee: 0.03,
    },
    readAddress: (fields) =>
      fields
        .text('email', {
          required: true,
          pattern: /^[^@\s]+@[^@\s]+\.[^@\s]+$/,
          sentence: 'Enter a valid email address.',
        })
        ?.toLowerCase() ?? null,
    readOptions: (fields) =>
      void fields.nested('options', (options) => {
        options.number('code_size', 6, 4, 8);
        options.flag('alphanumeric_code', false);
        const locale = options.text('locale');
        if (locale !== null && !mailLanguages.includes(locale)) {
          options.refuse('locale', `Invalid locale. Supported locales are ${mailLanguages.join(', ')}.`);
        }
      }),
    readCode: (fields) => fields.text('code', { required: true, max: 10 }),
    refuses: (email) =>
      email.endsWith('@undeliverable.example')
        ? { status: 'Undeliverable', reason: 'email_can_not_be_delivered' }
        : null,
    risks: (email, actions) => [
      ...(isBreached(email)
        ? [{ risk: 'BREACHED_EMAIL_DETECTED', declines: actions['breached_email_action'] === 'DECLINE' }]
        : []),
      ...(isDisposable(email)
        ? [{ risk: 'DISPOSABLE_EMAIL_DETECTED', declines: actions['disposable_email_action'] === 'DECLINE' }]
        : []),
    ],
    fullReport: emailReport,
  },
};
