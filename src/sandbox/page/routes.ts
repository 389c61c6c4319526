import type { FastifyInstance, FastifyRequest } from 'fastify';
import { send } from '../api/routes.js';
import type { Feature } from '../decision/features.js';
import { mediaFile } from '../decision/media.js';
import { isScenario, outcomeOf } from '../decision/scenarios.js';
import { isSessionStatus, isUnfinished } from '../sessions/transitions.js';
import type { Session } from '../sessions/session.js';
import type { Answer } from '../wire/answers.js';
import { textIn } from '../wire/params.js';
import type { World } from '../world.js';
import { callbackSource, callbackUrl } from './callback.js';
import { styleDigest } from './style.js';
import { donePage, stepPage, unknownPage, type Step } from './views.js';

/** The page that a person opens to be verified, and the files that decisions link to. */
export const registerPage = (app: FastifyInstance, world: World): void => {
  for (const url of ['/session/:token', '/:language/session/:token']) {
    app.get(url, (request, reply) => send(reply, show(sessionOf(request, world), world)));
    app.post(url, { bodyLimit: 16_384 }, (request, reply) => send(reply, advance(request, world)));
  }
  app.get('/media/:id/:file', (request, reply) => send(reply, media(request, world)));
};

const sessionOf = (request: FastifyRequest, world: World): Session | undefined =>
  world.store.byToken(textIn(request.params, 'token') ?? '');

const show = (session: Session | undefined, world: World): Answer => {
  if (session === undefined) return page(404, unknownPage(), null);
  world.lifecycle.open(session);
  const language = session.language ?? 'en';
  if (isUnfinished(session.status)) return page(200, stepPage(stepOf(session), language), session.callback);
  const back = callbackUrl(session.callback, session.id, session.status);
  return page(200, donePage(language, session.status, back), session.callback);
};

/** What is missing comes next; so a resubmitted session asks only for what was sent back. */
const stepOf = (session: Session): Step => {
  if (!session.consented) return 'consent';
  if (lacks(session, 'ID_VERIFICATION')) return 'document';
  return faces.some((feature) => lacks(session, feature)) ? 'selfie' : 'outcome';
};

const faces = ['LIVENESS', 'FACE_MATCH'] as const;
const lacks = (session: Session, feature: Feature): boolean =>
  session.features.includes(feature) && !session.checks.has(feature);

/** One step done. A step that is not the one due (the back button, a second click) changes nothing and shows the due one. */
const advance = (request: FastifyRequest, world: World): Answer => {
  const session = sessionOf(request, world);
  if (session === undefined) return page(404, unknownPage(), null);
  if (!isUnfinished(session.status)) return redirect(pathOf(request));
  const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
  const step = form.get('step');
  world.lifecycle.open(session);
  if (step === 'leave') world.lifecycle.finish(session, 'Abandoned');
  else if (step === stepOf(session)) take(step, session, form, world);
  if (isUnfinished(session.status)) return redirect(pathOf(request));
  return redirect(callbackUrl(session.callback, session.id, session.status) ?? pathOf(request));
};

const take = (step: Step, session: Session, form: URLSearchParams, world: World): void => {
  if (step === 'consent') session.consented = true;
  if (step === 'document') world.lifecycle.capture(session, ['ID_VERIFICATION']);
  if (step === 'selfie') {
    const taken = faces.filter((feature) => session.features.includes(feature));
    world.lifecycle.capture(session, taken);
  }
  if (step !== 'outcome') return;
  const wanted = form.get('scenario');
  const scenario = isScenario(wanted) ? wanted : 'clean';
  const status = form.get('status');
  const chosen = status === 'Approved' || status === 'In Review' || status === 'Declined';
  world.lifecycle.finish(session, chosen && isSessionStatus(status) ? status : outcomeOf(scenario), scenario);
};

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '/';

const redirect = (location: string): Answer => ({
  status: 303,
  headers: { location, ...guards(null) },
  body: '',
});

const page = (status: number, body: string, callback: string | null): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', ...guards(callback) },
  body,
});

/** Browsers hold a form to its policy through every redirect that follows, so the caller's address must be in it. */
const guards = (callback: string | null): Record<string, string> => {
  const target = callbackSource(callback);
  const formAction = target === null ? "'self'" : `'self' ${target}`;
  return {
    'content-security-policy': `default-src 'none'; style-src ${styleDigest}; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
};

/** Storage answers in XML, and says no more than that it will not. */
const media = (request: FastifyRequest, world: World): Answer => {
  const [path = '', query = ''] = request.url.split('?', 2);
  const verdict = world.media.verdict(path, new URLSearchParams(query), world.clock.wall());
  if (verdict === 'forged') return refused(403, 'SignatureDoesNotMatch', 'The signature does not match');
  if (verdict === 'expired') return refused(403, 'AccessDenied', 'Request has expired');
  if (world.store.get(textIn(request.params, 'id') ?? '') === undefined)
    return refused(404, 'NoSuchKey', 'The specified key does not exist.');
  const { type, bytes } = mediaFile(textIn(request.params, 'file') ?? '');
  return { status: 200, headers: { 'content-type': type, 'cache-control': 'private, no-store' }, body: bytes };
};

const refused = (status: number, code: string, message: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});
