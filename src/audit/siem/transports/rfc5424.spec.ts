import { describe, expect, it } from 'vitest';
import { shippedLine } from '../testing/receivers.js';
import { octetCounted, syslogHostname, syslogMessage } from './rfc5424.js';

const FORMAT = { hostname: 'gate-1', enterpriseNumber: 32473, bom: true, mostBytes: 65_536 };

describe('a message of RFC 5424', () => {
  it('names the facility log audit, the instant, the source, the record and UTF-8', () => {
    const line = shippedLine(7, { severity: 'medium' });
    expect(syslogMessage('records', line, FORMAT).toString()).toBe(
      `<108>1 2026-03-10T08:00:00.130Z gate-1 gatehouse - record [gatehouse@32473 seq="7" id="${line.id}"] \ufeff${line.text}`,
    );
  });

  it('marks statements and operational lines, and leaves the byte order mark out where told', () => {
    const { seq: _seq, ...statement } = shippedLine(1, { id: 'batch-1-9', severity: 'high', text: 'CEF:0' });
    const plain = { ...FORMAT, bom: false, enterpriseNumber: 1 };
    expect(syslogMessage('records', statement, plain).toString()).toMatch(
      /^<107>1 .* - statement \[gatehouse@1 id="batch-1-9"\] CEF:0$/,
    );
    expect(syslogMessage('operational', statement, plain).toString()).toContain(' - log [');
  });

  it('escapes what ends a parameter', () => {
    const line = shippedLine(1, { id: 'a"b\\c]d' });
    expect(syslogMessage('records', line, FORMAT).toString()).toContain(String.raw`id="a\"b\\c\]d"]`);
  });

  it('keeps to printable ASCII in the name of the host', () => {
    expect(syslogHostname('gäte way.example')).toBe('gteway.example');
    expect(syslogHostname('日本')).toBe('-');
  });

  it('is framed by its octets, not its characters', () => {
    expect(octetCounted(Buffer.from('é✓')).toString()).toBe('5 é✓');
  });
});
