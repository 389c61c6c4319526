import { empty, detail, json, jsonText, notFound, type Answer } from '../wire/answers.js';
import type { World } from '../world.js';
import type { Call } from './operation.js';
import { pdfReport } from './pdf.js';

/** `GET …/decision/`: at any time, whatever the status. `include=events` is not played: what it adds is not documented. */
export const readDecision = (call: Call, world: World): Answer =>
  call.session === undefined ? notFound() : jsonText(200, world.decisionBytes(call.session));

/** `DELETE …/delete/`: since September 2026 with a body; the second time there is nothing to delete. */
export const deleteSession = (call: Call, world: World): Answer => {
  const { session } = call;
  if (session === undefined) return notFound();
  world.store.delete(session);
  if (world.settings.behaviour.deleteStatus === 204) return empty(204);
  return json(200, {
    session_id: session.id,
    session_number: session.number,
    face_retention_outcome: 'deleted',
    biometric_template_uuid: null,
  });
};

const printable = ['In Review', 'Declined', 'Approved', 'Kyc Expired'];

/** `GET …/generate-pdf/`: made anew at each call, so no two are the same bytes. */
export const generatePdf = (call: Call, world: World): Answer => {
  const { session } = call;
  if (session === undefined) return notFound();
  if (!printable.includes(session.status)) {
    return detail(403, 'You can only generate a PDF for sessions in review, declined, approved or kyc expired');
  }
  const body = pdfReport(session, world.clock.wall());
  return {
    status: 200,
    headers: {
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename=session_${session.id}.pdf`,
    },
    body,
  };
};
