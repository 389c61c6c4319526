import { describe, expect, it } from 'vitest';
import { traceContext } from './trace-context.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('traceContext (W3C Trace Context)', () => {
  it('goes on with the caller’s trace under a span of its own', () => {
    const context = traceContext(`00-${TRACE}-${PARENT}-01`);
    expect(context).toMatchObject({ traceId: TRACE, parentId: PARENT, sampled: true });
    expect(context.spanId).not.toBe(PARENT);
  });

  it('reads the sampled flag', () => {
    expect(traceContext(`00-${TRACE}-${PARENT}-00`).sampled).toBe(false);
  });

  it.each([
    undefined,
    '',
    'garbage',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  ])('starts a new trace for %s', (header) => {
    const context = traceContext(header);
    expect(context.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(context.traceId).not.toBe(TRACE);
    expect(context.parentId).toBeUndefined();
  });
});
