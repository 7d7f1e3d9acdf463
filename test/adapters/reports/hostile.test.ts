import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { REPORT_DEPTH, REPORT_VALUES } from '#adapters/reports/json.ts';
import { readReport } from '#adapters/reports/read-report.ts';
import { MOST_REPORT_BYTES } from '#domain/attestation/report-format.ts';
import { seenLine } from '#domain/text.ts';
import { sample, refusing, refusingBytes } from './_samples.ts';

const suite = (attributes: string, cases: string): string => `<testsuite ${attributes}>${cases}</testsuite>`;
const passed = '<testcase name="a"/>';

describe('bytes', () => {
  test.for<readonly [string, Uint8Array, string]>([
    ['too many', Buffer.alloc(MOST_REPORT_BYTES + 1, ' '), 'report-size'],
    ['packed, of too many', gzipSync(Buffer.alloc(MOST_REPORT_BYTES + 1, ' ')), 'report-size'],
    ['packed twice', gzipSync(gzipSync(sample('pip-audit.json'))), 'report-format'],
    ['packed, cut short', gzipSync(sample('pip-audit.json')).subarray(0, 60), 'report-format'],
    ['none', new Uint8Array(), 'report-format'],
    ['no UTF-8', Buffer.concat([sample('pip-audit.json'), Buffer.from([0xc3, 0x28])]), 'report-format'],
    ['UTF-16', Buffer.from(sample('pytest.xml').toString(), 'utf16le'), 'report-format'],
  ])('%s', ([, bytes, rule]) => {
    expect(refusingBytes(bytes)).toBe(rule);
  });

  test('the limit itself is no refusal', () => {
    const text = sample('pip-audit.json').toString();
    expect(refusing(text.padEnd(MOST_REPORT_BYTES))).toBe('read pip-audit');
  });
});

describe('XML', () => {
  const nested = (depth: number): string =>
    `<testsuite>${'<properties>'.repeat(depth)}${'</properties>'.repeat(depth)}${passed}</testsuite>`;

  test.for([
    ['a DOCTYPE', `<!DOCTYPE testsuite>${suite('', passed)}`, 'report-hostile'],
    [
      'entities that multiply',
      `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${suite('name="&b;"', passed)}`,
      'report-hostile',
    ],
    [
      'an entity of a file',
      `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>${suite('name="&f;"', passed)}`,
      'report-hostile',
    ],
    ['nested too deep', nested(REPORT_DEPTH), 'report-hostile'],
    ['an attribute __proto__', suite('__proto__="1"', passed), 'report-hostile'],
    ['an entity that XML does not have', suite('name="&constructor;"', passed), 'report-format'],
    ['an attribute twice', suite('tests="1" tests="2"', passed), 'report-format'],
    ['not closed', '<testsuite><testcase name="a"/>', 'report-format'],
    ['two roots', suite('', passed) + suite('', passed), 'report-format'],
    ['another encoding', `<?xml version="1.0" encoding="ISO-8859-1"?>${suite('', passed)}`, 'report-format'],
    ['another root', '<html><body/></html>', 'report-format'],
    ['a failure as the root', '<failure/>', 'report-format'],
    ['a testcase outside of suites', `<testsuites>${passed}</testsuites>`, 'report-format'],
    ['a testcase in a testcase', suite('', `<testcase name="a">${passed}</testcase>`), 'report-format'],
    ['a testcase without a name', suite('', '<testcase/>'), 'report-format'],
    ['suites in a suite', '<testsuite><testsuites/></testsuite>', 'report-format'],
    ['more tests than there are', suite('tests="2"', passed), 'report-consistent'],
    ['fewer tests than there are', suite('tests="1"', passed + passed), 'report-consistent'],
    ['a failure that no testcase has', suite('tests="1" failures="1"', passed), 'report-consistent'],
    [
      'no failure, where a testcase has one',
      suite('failures="0" errors="0"', '<testcase name="a"><failure/></testcase>'),
      'report-consistent',
    ],
    ['an error outside of testcases', suite('', `${passed}<error/>`), 'report-consistent'],
    [
      'another number of skipped',
      suite('skipped="0"', '<testcase name="a"><skipped/></testcase>'),
      'report-consistent',
    ],
    [
      'a total of something else',
      `<testsuites tests="3">${suite('tests="1"', passed)}</testsuites>`,
      'report-consistent',
    ],
    ...['NaN', '-1', '1e3', '0x1', '', '1.5'].map((count) => [
      `a count of ${count}`,
      suite(`tests="${count}"`, passed),
      'report-consistent',
    ]),
  ])('%s', ([, text = '', rule]) => {
    expect(refusing(text)).toBe(rule);
  });

  test('is read as deep as the limit', () => {
    expect(refusing(nested(REPORT_DEPTH - 1))).toBe('read junit');
  });
});

describe('JSON', () => {
  const audit = (more: string): string => `{"dependencies":[],"fixes":[]${more}}`;

  test.for([
    ['no JSON', '{"dependencies":', 'report-format'],
    ['a string without an end', '{"dependencies":"\\', 'report-format'],
    ['a comment', audit('/* */'), 'report-format'],
    ['NaN', audit(',"x":NaN'), 'report-format'],
    ['nothing known', '{"hello":"world"}', 'report-format'],
    ['no object', '"junit"', 'report-format'],
    ['null', 'null', 'report-format'],
    ['two formats', audit(',"runs":[]'), 'report-format'],
    ['a bill of materials', audit(',"bomFormat":"CycloneDX","metadata":{}'), 'report-format'],
    ['nested too deep', audit(`,"x":${'['.repeat(REPORT_DEPTH)}${']'.repeat(REPORT_DEPTH)}`), 'report-hostile'],
    ['a key twice', audit(',"dependencies":[]'), 'report-hostile'],
    ['a key twice, spelled in two ways', audit(',"dependencie\\u0073":[]'), 'report-hostile'],
    ['a key twice, further in', audit(',"x":[{"a":{"b":1},"c":[],"a":2}]'), 'report-hostile'],
    ['__proto__', audit(',"__proto__":{"dependencies":[]}'), 'report-hostile'],
    ['__proto__, spelled otherwise', audit(',"\\u005f_proto__":1'), 'report-hostile'],
    ['too many values', audit(`,"x":[${'0,'.repeat(REPORT_VALUES)}0]`), 'report-size'],
  ])('%s', ([, text = '', rule]) => {
    expect(refusing(text)).toBe(rule);
  });

  test('may have the same key in two objects, and brackets in strings', () => {
    expect(refusing(audit(`,"x":[{"a":"[{\\"","b":"\\\\"},{"a":"]"}]`))).toBe('read pip-audit');
  });
});

test('no bytes are thrown at: they are read or refused, with a found text of one line', () => {
  const names = ['vitest.xml', 'codeql.sarif.json', 'npm-audit.json', 'k6-summary-export.json', 'github-review.json'];
  const texts = [...names, 'test-result.json', 'autocannon.json', 'pip-audit.json'].map(sample);
  const mutated = fc
    .tuple(fc.constantFrom(...texts), fc.nat(), fc.nat({ max: 40 }), fc.uint8Array({ maxLength: 6 }))
    .map(([text, at, cut, put]) => {
      const from = at % text.length;
      return Buffer.concat([text.subarray(0, from), put, text.subarray(from + cut)]);
    });
  const valued = fc
    .tuple(fc.constantFrom(...texts.slice(1).map((text) => text.toString())), fc.nat(), fc.jsonValue())
    .map(([text, at, value]) => {
      // Another value in the place of one that the report has.
      const places = [...text.matchAll(/:\s*("[^"]*"|[\d.]+|true|false|null)/g)];
      const { index = 0, 0: old = '' } = places[at % places.length] ?? {};
      return Buffer.from(`${text.slice(0, index)}:${JSON.stringify(value)}${text.slice(index + old.length)}`);
    });
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    mutated,
    valued,
    mutated.map((bytes) => gzipSync(bytes)),
  );
  let reads = 0;
  fc.assert(
    fc.property(any, (bytes) => {
      const answer = readReport(bytes);
      if (answer.kind === 'read') reads += 1;
      else {
        const { found } = answer.refusal;
        expect(found).toBe(seenLine(found));
        expect(found.length).toBeLessThanOrEqual(300);
      }
    }),
    { numRuns: 1500 },
  );
  expect(reads).toBeGreaterThan(0);
});
