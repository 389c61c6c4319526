import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { checkVerb } from './check.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-check-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(dir, 'gatehouse.yaml');
  writeFileSync(path, text);
  return path;
}

it.each([
  ['entity: { timeZone: Europe/Nowhere }', 'entity.timeZone'],
  ['entity: { type: bank }', 'entity.type'],
  ['audit: { intentPatience: 1m }', 'audit.intentPatience'],
  ['audit: { alarm: { token: env:GATEHOUSE_NOT_THERE } }', 'audit.alarm.token'],
  ['database: { url: "postgres://u@h/d" }', 'DIDIT_BASE_URL'],
])('refuses what a start would refuse: %s', (text, setting) => {
  expect(() => checkVerb(file(text))).toThrow(setting);
});

it('tells what a good file sets', () => {
  const written: string[] = [];
  const output = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    checkVerb(file('audit: { checkpointEvery: 2s }'));
  } finally {
    output.mockRestore();
  }
  expect(written.join('')).toMatch(/^audit\.checkpointEvery: set[^]*is valid; 1 of \d+ settings/);
});
