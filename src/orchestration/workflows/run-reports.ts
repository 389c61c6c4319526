import { Inject, Injectable } from '@nestjs/common';
import { type Config, CONFIG, type Tx, Vault } from '../../platform/index.js';
import { KeptDecisions } from '../verifications/kept-decisions.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import type { Definition, Outcome } from './definition.js';
import type { RunRow, StepRow } from './run-store.js';
import type { RunInput } from './sources.js';
import { stepOperation } from './step-operations.js';

const REPORT = 'step-report';
const inputPurpose = ({ id }: Pick<VerificationEntity, 'id'>) => `run.input/${id}`;
const owner = ({ subject }: Pick<VerificationEntity, 'subject'>) => `subject:${subject}`;

/** The vendor's own words for what came of it, so that a decision made here reads like one of the vendor's. */
const SAID: Readonly<Record<Outcome | 'failed', string | null>> = {
  approved: 'Approved',
  declined: 'Declined',
  'in-review': 'In Review',
  failed: null,
};

/** What an engine has read of a run in its hands, which does not change: so that it is read once. */
export interface Known {
  input?: RunInput;
  /** By their ids in the vault. */
  reports: Map<string, unknown>;
}

type Person = { reference: string | null; expected: Readonly<Record<string, unknown>> };

/** What a run knows of the person: sealed under the subject's key, like everything that names one. */
@Injectable()
export class RunReports {
  constructor(
    private readonly vault: Vault,
    private readonly decisions: KeptDecisions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  sealInput(tx: Tx, row: VerificationEntity, person: Person): Promise<Buffer> {
    return this.vault.sealFor(tx, owner(row), inputPurpose(row), Buffer.from(JSON.stringify(person)));
  }

  async input(tx: Tx, row: VerificationEntity, { sealedInput }: RunRow, known: Known): Promise<RunInput> {
    return (known.input ??= await this.openInput(tx, row, sealedInput));
  }

  private async openInput(tx: Tx, row: VerificationEntity, sealedInput: Buffer | null): Promise<RunInput> {
    const items = sealedInput === null ? [] : [{ owner: owner(row), purpose: inputPurpose(row), sealed: sealedInput }];
    const [plain] = await this.vault.openFor(tx, items);
    const person: Person =
      plain === undefined ? { reference: null, expected: {} } : (JSON.parse(plain.toString()) as Person);
    return { ...person, relationship: row.relationship };
  }

  /** The report of a step, for the conditions and inputs of later ones. @returns its id */
  async keep(tx: Tx, row: VerificationEntity, report: unknown): Promise<string | null> {
    if (row.erasedAt !== null) return null;
    return this.vault.put(tx, {
      owner: owner(row),
      purpose: REPORT,
      plain: Buffer.from(JSON.stringify(report ?? null)),
      keepMs: this.config.workflows.onboarding.keepDecision,
    });
  }

  /** By step. */
  async of(tx: Tx, steps: readonly StepRow[], known: Known): Promise<Map<string, unknown>> {
    const found = new Map<string, unknown>();
    for (const { name, result } of steps) {
      if (result === null) continue;
      if (!known.reports.has(result)) {
        const plain = await this.vault.get(tx, result, REPORT);
        known.reports.set(result, plain === undefined ? undefined : (JSON.parse(plain.toString()) as unknown));
      }
      found.set(name, known.reports.get(result));
    }
    return found;
  }

  /** All reports together in the form of a decision of the vendor's, so that everything that reads one reads this. @returns its id */
  async decide(
    tx: Tx,
    row: VerificationEntity,
    definition: Definition,
    is: Outcome | 'failed',
    reports: ReadonlyMap<string, unknown>,
  ): Promise<string | null> {
    if (row.erasedAt !== null) return null;
    const modules: Record<string, unknown[]> = {};
    for (const { name, operation } of definition.steps) {
      const module = stepOperation(operation)?.module;
      if (module !== undefined && reports.has(name)) (modules[module] ??= []).push(reports.get(name));
    }
    return this.decisions.replace(tx, row, { status: SAID[is], ...modules });
  }
}
