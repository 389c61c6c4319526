import { Inject, Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { Clock, type Config, CONFIG, traceparent, Tracing, type VendorPart } from '../../platform/index.js';
import {
  DiditVendor,
  type OperationName,
  OPERATIONS,
  type VendorAnswer,
  VendorFailure,
  type VendorRequest,
} from '../../vendors/index.js';
import { type Asker, isCall, recordOf } from './asker.js';
import { VendorTrouble } from './vendor-trouble.js';

const VENDOR = 'didit';

/** The one way by which this module calls the vendor: every call is traced and recorded, and every failure of the vendor is told. */
@Injectable()
export class VendorCalls {
  readonly #host: string;

  constructor(
    private readonly vendor: DiditVendor,
    private readonly tracing: Tracing,
    private readonly auditLog: AuditLog,
    private readonly trouble: VendorTrouble,
    private readonly clock: Clock,
    @Inject(CONFIG) config: Config,
  ) {
    const { baseUrl } = config.vendors.didit;
    this.#host = baseUrl === undefined ? VENDOR : new URL(baseUrl).host;
  }

  /**
   * Makes one call to the vendor. In the record of the asking call stands the last one that it made; earlier ones get records of their own.
   * @throws VendorFailure and the ProblemErrors of `DiditVendor.call`.
   */
  async call(asker: Asker, operation: OperationName, request: VendorRequest = {}): Promise<VendorAnswer> {
    await this.tellEarlier(asker);
    const startedNs = this.clock.monotonic();
    try {
      const answer = await this.vendor.call(operation, { ...request, ...onBehalfOf(asker, operation, request) });
      await this.ended(asker, operation, part(operation, answer.status, answer.attempts, answer.durationUs));
      return answer;
    } catch (error) {
      if (error instanceof VendorFailure) await this.failed(asker, operation, error, startedNs);
      throw error;
    }
  }

  private async tellEarlier(asker: Asker): Promise<void> {
    if (!isCall(asker) || asker.vendor === undefined) return;
    await this.auditLog.append({ ...recordOf(asker, 'vendor.call', this.clock.now()), vendor: asker.vendor });
  }

  private async ended(asker: Asker, operation: OperationName, vendor: VendorPart): Promise<void> {
    this.trace(asker, operation, vendor);
    if (isCall(asker)) asker.vendor = vendor;
    else await this.auditLog.append(this.backgroundRecord(asker, operation, vendor));
  }

  private async failed(
    asker: Asker,
    operation: OperationName,
    failure: VendorFailure,
    startedNs: bigint,
  ): Promise<void> {
    const durationUs = Number((this.clock.monotonic() - startedNs) / 1_000n);
    const vendor = part(operation, failure.vendorStatus, 1, durationUs);
    this.trace(asker, operation, vendor);
    if (isCall(asker)) asker.vendor = vendor;
    // A caller who went away has ended the call, not the vendor.
    if (isCall(asker) && !OPERATIONS[operation].changes && asker.signal.aborted) return;
    const record = {
      ...this.backgroundRecord(asker, operation, vendor),
      detail: { ...jobOf(asker), problem: failure.problem },
    };
    await this.trouble.tell(record, operation, failure);
  }

  private backgroundRecord(asker: Asker, operation: OperationName, vendor: VendorPart) {
    const record = { ...recordOf(asker, 'vendor.call', this.clock.now()), vendor, detail: jobOf(asker) };
    const attempt = isCall(asker) || !OPERATIONS[operation].changes ? undefined : asker.attempt;
    return attempt === undefined ? record : { ...record, id: attempt };
  }

  private trace(asker: Asker, operation: OperationName, vendor: VendorPart): void {
    this.tracing.vendor(isCall(asker) ? asker : undefined, vendor, OPERATIONS[operation].method, this.#host);
  }
}

function part(operation: OperationName, status: number, attempt: number, durationUs: number): VendorPart {
  return { name: VENDOR, operation, status, attempt, rung: 'fresh', durationUs };
}

function jobOf(asker: Asker): { job: string } | undefined {
  return isCall(asker) ? undefined : { job: asker.job };
}

/**
 * The trace goes along, and a read ends with its caller. A change does not: once sent it is waited for, since an outcome nobody waited
 * for is an unknown one.
 */
function onBehalfOf(
  asker: Asker,
  operation: OperationName,
  request: VendorRequest,
): Pick<VendorRequest, 'client' | 'headers' | 'signal'> {
  if (!isCall(asker)) return asker.client === undefined ? {} : { client: asker.client };
  const client = asker.caller?.kind === 'client' ? { client: asker.caller.id } : {};
  const headers = { ...request.headers, traceparent: traceparent(asker) };
  return OPERATIONS[operation].changes ? { ...client, headers } : { ...client, headers, signal: asker.signal };
}
