import { Inject, Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { Clock, type Config, CONFIG, traceparent, Tracing, type VendorPart } from '../../platform/index.js';
import {
  DiditVendor,
  type OperationName,
  OPERATIONS,
  type VendorAnswer,
  VendorFailure,
  VendorRefusal,
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
      const { status, attempts, durationUs, collapsed } = answer;
      const cost = answer.code === undefined && collapsed !== true ? this.vendor.prices.of(operation) : undefined;
      const ended = part(operation, status, attempts, durationUs, collapsed);
      await this.ended(asker, operation, cost === undefined ? ended : { ...ended, cost });
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
    const vendor = part(operation, failure.vendorStatus, failure.attempts, durationUs);
    this.trace(asker, operation, vendor);
    if (isCall(asker)) asker.vendor = vendor;
    // A caller who went away has ended the call, not the vendor.
    if (isCall(asker) && !OPERATIONS[operation].changes && asker.signal.aborted) return;
    const record = {
      ...this.backgroundRecord(asker, operation, vendor),
      detail: { ...jobOf(asker), problem: failure.problem },
    };
    if (!(failure instanceof VendorRefusal)) await this.trouble.tell(record, operation, failure);
    // Nothing was sent: of a call its own record says so, and that the vendor fails is told by the breaker, once.
    else if (!isCall(asker)) await this.auditLog.append(record);
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

function part(
  operation: OperationName,
  status: number,
  attempt: number,
  durationUs: number,
  collapsed = false,
): VendorPart {
  const rung = attempt === 0 && !collapsed ? 'none' : 'fresh';
  return { name: VENDOR, operation, status, attempt, rung, durationUs, ...(collapsed ? { collapsed } : {}) };
}

function jobOf(asker: Asker): { job: string } | undefined {
  return isCall(asker) ? undefined : { job: asker.job };
}

type OnBehalf = Pick<VendorRequest, 'client' | 'headers' | 'signal' | 'priority' | 'deadlineMs'>;

/**
 * The trace goes along, and a read ends with its caller. A change does not: once sent it is waited for, since an outcome nobody waited
 * for is an unknown one. Both keep to the caller's deadline.
 */
function onBehalfOf(asker: Asker, operation: OperationName, request: VendorRequest): OnBehalf {
  if (!isCall(asker)) {
    const priority = asker.priority ?? 'background';
    return asker.client === undefined ? { priority } : { priority, client: asker.client };
  }
  const onBehalf: OnBehalf = {
    priority: 'interactive',
    deadlineMs: asker.deadlineMs,
    headers: { ...request.headers, traceparent: traceparent(asker) },
  };
  if (asker.caller?.kind === 'client') onBehalf.client = asker.caller.id;
  if (!OPERATIONS[operation].changes) onBehalf.signal = asker.signal;
  return onBehalf;
}
