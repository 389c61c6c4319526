import { context, type Span, SpanKind, SpanStatusCode, trace, TraceFlags, type Tracer } from '@opentelemetry/api';
import { type Histogram, metrics, type UpDownCounter } from '@opentelemetry/api';
import type { Call, VendorPart } from '../http/call.js';

/** Buckets of the HTTP semantic conventions, in seconds. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const SPAN = Symbol('gatehouse.span');
type Traced = Call & { [SPAN]?: Span };

/**
 * One server span a call and one client span a vendor call, by hand: the stock http instrumentation costs three times the request's
 * own CPU. Names are the HTTP semantic conventions'; no query, no full URL, no user data.
 */
export class Tracing {
  readonly #tracer: Tracer = trace.getTracer('gatehouse');
  readonly #serverDuration: Histogram;
  readonly #clientDuration: Histogram;
  readonly #active: UpDownCounter;

  /** @param spans whether spans are made at all; metrics always are. */
  constructor(private readonly spans: boolean) {
    const meter = metrics.getMeter('gatehouse');
    const advice = { explicitBucketBoundaries: DURATION_BUCKETS };
    this.#serverDuration = meter.createHistogram('http.server.request.duration', {
      unit: 's',
      description: 'Duration of calls.',
      advice,
    });
    this.#clientDuration = meter.createHistogram('http.client.request.duration', {
      unit: 's',
      description: 'Duration of vendor calls.',
      advice,
    });
    this.#active = meter.createUpDownCounter('http.server.active_requests', { description: 'Calls under way.' });
  }

  begin(call: Call): void {
    this.#active.add(1);
    if (!this.spans) return;
    const parent = call.parentSpanId;
    const remote =
      parent === undefined
        ? context.active()
        : trace.setSpanContext(context.active(), {
            traceId: call.traceId,
            spanId: parent,
            traceFlags: TraceFlags.SAMPLED,
            isRemote: true,
          });
    const span = this.#tracer.startSpan(
      `${call.method} ${call.route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': call.method,
          'http.route': call.route,
          'url.scheme': 'https',
          'network.protocol.version': '1.1',
          'gatehouse.record': call.id,
        },
      },
      remote,
    );
    (call as Traced)[SPAN] = span;
    // The span's own ids are the call's, so that logs, records and traces meet.
    const ids = span.spanContext();
    Object.assign(call, { traceId: ids.traceId, spanId: ids.spanId });
  }

  end(call: Call, status: number): void {
    this.#active.add(-1);
    const seconds = Number(process.hrtime.bigint() - call.startedNs) / 1e9;
    this.#serverDuration.record(seconds, {
      'http.request.method': call.method,
      'http.route': call.route,
      'http.response.status_code': status,
      'gatehouse.listener': call.listener,
    });
    const span = (call as Traced)[SPAN];
    if (!span) return;
    span.setAttribute('http.response.status_code', status);
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', String(status));
    span.end();
  }

  /** A vendor call that has ended, told after the fact so that the way out needs no knowledge of spans. */
  vendor(call: Call | undefined, part: VendorPart, method: string, host: string): void {
    const attributes = {
      'http.request.method': method,
      'server.address': host,
      'url.template': part.operation,
      'gatehouse.vendor': part.name,
      ...(part.status === 0 ? { 'error.type': 'no-answer' } : { 'http.response.status_code': part.status }),
    };
    this.#clientDuration.record(part.durationUs / 1e6, attributes);
    const server = call === undefined ? undefined : (call as Traced)[SPAN];
    if (!server) return;
    const startTime = Date.now() - part.durationUs / 1e3;
    const span = this.#tracer.startSpan(
      `${method} ${part.operation}`,
      { kind: SpanKind.CLIENT, startTime, attributes },
      trace.setSpan(context.active(), server),
    );
    if (part.status === 0 || part.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }
}
