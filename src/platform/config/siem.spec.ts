import { describe, expect, it } from 'vitest';
import { siem } from './siem.js';

describe('settings of receivers', () => {
  const parse = (...sinks: object[]) => siem.safeParse({ sinks }).success;

  it('are held to what each kind needs', () => {
    const file = { name: 'f', kind: 'file', path: '/tmp/x' };
    expect(parse(file)).toBe(true);
    expect(parse(file, file)).toBe(false);
    expect(parse({ ...file, name: 'Not a name' })).toBe(false);
    expect(parse({ ...file, url: 'https://x.example' })).toBe(false);
    expect(parse({ name: 'f', kind: 'pigeon' })).toBe(false);
    expect(parse(...Array.from({ length: 17 }, (_, n) => ({ ...file, name: `f${n}`, path: `/tmp/${n}` })))).toBe(false);
    expect(parse({ name: 'h', kind: 'splunk-hec', url: 'https://x.example' })).toBe(false);
    expect(parse({ name: 'h', kind: 'splunk-hec', url: 'https://x.example', token: 't' })).toBe(true);
    expect(parse({ name: 's', kind: 'syslog', url: 'https://x.example' })).toBe(false);
    expect(parse({ name: 's', kind: 'syslog', url: 'tls://x.example:6514', format: 'cef' })).toBe(true);
    expect(parse({ name: 's', kind: 'syslog', url: 'tls://x.example:6514', certFile: 'a' })).toBe(false);
  });

  it('do not let two receivers write to one file', () => {
    const file = { name: 'f', kind: 'file', path: '/tmp/x' };
    expect(parse(file, { ...file, name: 'g', path: '/tmp/y' })).toBe(true);
    expect(parse(file, { ...file, name: 'g', path: '/tmp/../tmp/x' })).toBe(false);
  });
});
