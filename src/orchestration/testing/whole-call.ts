import { type Call, ProblemError, ReplayedAnswer } from '../../platform/index.js';
import { AuditedCommit } from '../call-commit.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationsController } from '../verifications/verifications.controller.js';
import type { VerificationView } from '../verifications/verification-views.js';
import type { SpecHouse } from './spec-house.js';

export interface WholeCall {
  status: number;
  headers: Record<string, string>;
  /** The view, or the members of a problem that specs look at. */
  body: VerificationView & { code?: string };
  call: Call | undefined;
}

/** A create from its key to its commit, as the corridor would make it; a repeat is answered from what was kept. */
export async function createWhole(house: SpecHouse, client: string, key: string, body: CreateBody): Promise<WholeCall> {
  let call: Call;
  try {
    call = await house.write(client, key, body);
  } catch (error) {
    if (error instanceof ReplayedAnswer)
      return { status: error.status, headers: error.headers, body: parse(error.body.toString()), call: undefined };
    if (error instanceof ProblemError)
      return { status: error.status, headers: {}, body: problem(error), call: undefined };
    throw error;
  }
  const sent = { status: 201, headers: {} as Record<string, string> };
  const reply = {
    code: (status: number) => ((sent.status = status), reply),
    headers: (headers: Record<string, string>) => (Object.assign(sent.headers, headers), reply),
  };
  let answer: WholeCall;
  try {
    const view = await house.get(VerificationsController, { strict: false }).create(call, body, reply as never);
    answer = { ...sent, body: view, call };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    answer = { status: error.status, headers: {}, body: problem(error), call };
  }
  const text = JSON.stringify(answer.body);
  const commit = house.get(AuditedCommit, { strict: false });
  await commit.commit(call, { status: answer.status, headers: answer.headers, body: text, bytesOut: text.length });
  return answer;
}

const parse = (text: string) => JSON.parse(text) as WholeCall['body'];
const problem = ({ code }: ProblemError) => ({ code }) as WholeCall['body'];
