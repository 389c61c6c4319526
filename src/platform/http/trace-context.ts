import { random } from '../ids.js';

export interface TraceContext {
  traceId: string;
  /** Span of this side. */
  spanId: string;
  /** Span of the caller; absent when the trace begins here. */
  parentId?: string;
  sampled: boolean;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** W3C Trace Context section 3.2; a malformed or all-zero header starts a new trace (section 3.2.2.3). */
export function traceContext(traceparent: string | undefined): TraceContext {
  const spanId = random(8).toString('hex');
  const parsed = traceparent === undefined ? null : TRACEPARENT.exec(traceparent);
  const [, traceId, parentId, flags = '00'] = parsed ?? [];
  if (traceId === undefined || parentId === undefined || /^0+$/.test(traceId) || /^0+$/.test(parentId)) {
    return { traceId: random(16).toString('hex'), spanId, sampled: true };
  }
  return { traceId, spanId, parentId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparent(context: { traceId: string; spanId: string; sampled?: boolean }): string {
  return `00-${context.traceId}-${context.spanId}-${context.sampled === false ? '00' : '01'}`;
}
