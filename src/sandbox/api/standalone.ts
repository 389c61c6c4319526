import { mediaFile, type MediaLinks } from '../decision/media.js';
import { instant } from '../decision/instant.js';
import { scenarios, type Scenario } from '../decision/scenarios.js';
import { makeSession } from '../sessions/store.js';
import type { Session } from '../sessions/session.js';
import type { Feature, FeatureStatus } from '../decision/features.js';
import { detail, json, type Answer } from '../wire/answers.js';
import { parseJson, type Json, type JsonObject } from '../wire/json.js';
import { readForm, type Form, type FormFile } from '../wire/multipart.js';
import type { World } from '../world.js';
import { Fields } from './fields.js';
import type { Call } from './operation.js';

/** What every standalone call may bring besides its own fields. */
export interface Common {
  readonly save: boolean;
  readonly vendorData: string | null;
  readonly metadata: Json;
}

export interface ImageRules {
  readonly required: boolean;
  readonly megabytes: number;
  readonly extensions: readonly string[];
}

export const faceImage: ImageRules = {
  required: true,
  megabytes: 5,
  extensions: ['tiff', 'jpg', 'jpeg', 'png', 'webp'],
};
export const documentImage: ImageRules = { ...faceImage, megabytes: 10, extensions: [...faceImage.extensions, 'pdf'] };

/** The form of a standalone call, or the answer that refuses it. */
export const readStandalone = async (
  call: Call,
): Promise<{ readonly form: Form; readonly fields: Fields } | { readonly refusal: Answer }> => {
  const form = await readForm(call.body, call.headers['content-type']);
  if (form === null)
    return { refusal: detail(400, 'Multipart form parse error - Invalid boundary in multipart: None') };
  return { form, fields: new Fields(Object.fromEntries(form.fields)) };
};

/** One uploaded image; a wrong one is refused in `fields`. */
export const image = (form: Form, fields: Fields, name: string, rules: ImageRules): FormFile | null => {
  const file = form.files.get(name);
  if (file === undefined) {
    if (form.fields.has(name)) {
      return fields.refuse(name, 'The submitted data was not a file. Check the encoding type on the form.');
    }
    return rules.required ? fields.refuse(name, 'No file was submitted.') : null;
  }
  if (file.size === 0) return fields.refuse(name, 'The submitted file is empty.');
  if (file.size > rules.megabytes * 1024 * 1024) {
    return fields.refuse(name, `File size should not exceed ${rules.megabytes} MB`);
  }
  const extension = extensionOf(file);
  if (rules.extensions.includes(extension)) return file;
  const allowed = rules.extensions.join(', ');
  return fields.refuse(name, `File extension “${extension}” is not allowed. Allowed extensions are: ${allowed}.`);
};

/** Clients that send a nameless blob tell at least its type. */
const extensionOf = (file: FormFile): string =>
  /\.([a-z0-9]{1,8})$/i.exec(file.name)?.[1]?.toLowerCase() ?? file.type.replace(/^(image|application)\//, '');

export const readCommon = (call: Call, fields: Fields): Common => {
  const vendorData = fields.text('vendor_data');
  call.entry.vendorData = vendorData;
  return { save: fields.flag('save_api_request', true), vendorData, metadata: metadataOf(fields) };
};

export const metadataOf = (fields: Fields): Json => {
  const raw = fields.raw('metadata');
  if (typeof raw !== 'string') return raw;
  try {
    return parseJson(raw);
  } catch {
    return fields.refuse('metadata', 'Value must be valid JSON.');
  }
};

/**
 * Standalone input has no field for a scenario: a file whose name contains one (`spoof.jpg`, `my-expired-document.png`)
 * meets it, and every other file what the sandbox was configured with (clean).
 */
export const scenarioOf = (files: readonly (FormFile | null)[], world: World): Scenario => {
  const names = files.map((file) => file?.name.toLowerCase() ?? '').join(' ');
  return scenarios.find((scenario) => names.includes(scenario)) ?? world.standaloneScenario;
};

/** A file so named cannot be read by anybody. */
export const unreadable = (file: FormFile | null): boolean => file?.name.toLowerCase().includes('unreadable') ?? false;

export interface Finding {
  readonly feature: Feature;
  readonly status: FeatureStatus & ('Approved' | 'Declined' | 'In Review');
  readonly score?: number;
  readonly scenario: Scenario;
  readonly screened?: Session['screened'];
}

/** The answer's envelope. A kept call becomes a session of type API and tells the webhooks; any other leaves no trace. */
export const concluded = (
  call: Call,
  world: World,
  common: Common,
  finding: Finding,
  report: (session: Session, links: MediaLinks) => JsonObject,
): Answer => {
  const now = world.clock.wall();
  const given = {
    createdAt: now,
    expiresAt: now,
    lapsesAt: Number.POSITIVE_INFINITY,
    type: 'API' as const,
    features: [finding.feature],
    vendorData: common.vendorData,
    metadata: common.metadata,
    scenario: finding.scenario,
    screened: finding.screened ?? null,
    status: finding.status,
    checks: new Map([[finding.feature, checkOf(finding)]]),
  };
  const session = common.save ? world.store.add(given) : makeSession(0, given);
  const links = common.save ? world.media.links(world.origin, session.id, now) : inline;
  if (common.save) {
    call.entry.sessionId = session.id;
    world.notify(session);
  }
  return json(200, {
    request_id: session.id,
    ...report(session, links),
    vendor_data: common.vendorData,
    metadata: common.metadata,
    created_at: instant(now).replace('Z', '+00:00'),
  });
};

const checkOf = ({ status, score }: Finding) => (score === undefined ? { status } : { status, score });

const inline: MediaLinks = (file) => mediaFile(file).bytes.toString('base64');
