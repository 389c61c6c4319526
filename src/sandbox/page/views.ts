import type { Scenario } from '../decision/scenarios.js';
import { Html, markup } from './html.js';
import { style } from './style.js';

/** Where a person stands on the page. */
export type Step = 'consent' | 'document' | 'selfie' | 'outcome';

const steps: readonly { readonly step: Step; readonly name: string }[] = [
  { step: 'consent', name: 'Consent' },
  { step: 'document', name: 'Document' },
  { step: 'selfie', name: 'Selfie' },
  { step: 'outcome', name: 'Result' },
];

const choices: readonly { readonly scenario: Scenario; readonly name: string; readonly hint: string }[] = [
  { scenario: 'clean', name: 'All is well', hint: 'Approved' },
  { scenario: 'sanctions-hit', name: 'On a sanctions list', hint: 'In review' },
  { scenario: 'spoof', name: 'A picture held before the camera', hint: 'Declined by the liveness check' },
  { scenario: 'mismatch', name: 'Somebody else’s document', hint: 'Declined by the face match' },
  { scenario: 'expired-document', name: 'An expired document', hint: 'Declined by the document check' },
];

/** One step, as a form that works without any script. */
export const stepPage = (step: Step, language: string): string =>
  layout(language, 'Verify your identity', markup`${progress(step)}${bodies[step]()}`);

export const donePage = (language: string, status: string, back: string | null): string =>
  layout(
    language,
    'That was all',
    markup`<h1>That was all</h1>
<p>This verification is finished. Its status is <strong>${status}</strong>.</p>
${back === null ? markup`<p>You may close this page.</p>` : markup`<p><a href="${back}" rel="noreferrer">Go back to where you came from</a></p>`}`,
  );

export const unknownPage = (): string =>
  layout(
    'en',
    'No such verification',
    markup`<h1>No such verification</h1><p>This link is not one of ours, or is no longer good.</p>`,
  );

const bodies: Record<Step, () => Html> = {
  consent: () => markup`<h1>Let us check who you are</h1>
<p>We will ask for your identity document and a picture of your face, compare the two and look you up on sanctions lists.</p>
${form('consent', markup`<button>I agree, go on</button>`)}`,
  document: () => markup`<h1>Show your document</h1>
<p>Nothing is uploaded here: an invented document stands ready.</p>
<div class="frame">Front and back of an invented document</div>
${form('document', markup`<button>Take the picture</button>`)}`,
  selfie: () => markup`<h1>Look into the camera</h1>
<p>No camera is used: an invented face looks back.</p>
<div class="frame">A face in the middle of the frame</div>
${form('selfie', markup`<button>Take the selfie</button>`)}`,
  outcome: () => markup`<h1>How did it go?</h1>
<p>With the real Didit you would wait for the result. Here you choose it.</p>
${form('outcome', markup`${scenarioChoice()}${statusChoice()}<button>Finish</button>`)}
${form('leave', markup`<button class="quiet">Leave without finishing</button>`)}`,
};

/** The address stays out of the form: it holds the session's token and is where the page already is. */
const form = (step: string, content: Html): Html =>
  markup`<form method="post"><input type="hidden" name="step" value="${step}">${content}</form>`;

const scenarioChoice = (): Html =>
  markup`<fieldset><legend>What happened</legend>${choices.map(
    ({ scenario, name, hint }, index) =>
      markup`<label class="choice"><input type="radio" name="scenario" value="${scenario}"${new Html(index === 0 ? ' checked' : '')}><span>${name}<small>${hint}</small></span></label>`,
  )}</fieldset>`;

const statusChoice = (): Html => markup`<label class="field" for="status">Status</label>
<select id="status" name="status"><option value="">As it would come of that</option>${[
  'Approved',
  'In Review',
  'Declined',
].map((status) => markup`<option>${status}</option>`)}</select>`;

const progress = (current: Step): Html => {
  const at = steps.findIndex(({ step }) => step === current);
  return markup`<ol aria-label="Steps">${steps.map(
    ({ name }, index) =>
      markup`<li class="${index <= at ? 'done' : ''}"${new Html(index === at ? ' aria-current="step"' : '')}><span>${name}</span></li>`,
  )}</ol>`;
};

const layout = (language: string, title: string, content: Html): string =>
  markup`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<p class="mark">Sandbox verification</p>
${content}
<footer>A sandbox: no real document, no real check, no real person.</footer>
</main>
</body>
</html>
`.text;
