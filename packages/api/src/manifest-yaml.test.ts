import { describe, expect, it } from '@jest/globals';
import { manifestFaultText, parseManifestFiles, parseManifests } from './manifest-yaml.ts';

const BUDGET = `apiVersion: tollgate.dev/v1alpha1
kind: TokenBudget
metadata:
  name: chat
  namespace: team-a
spec:
  limits:
  - name: daily
    cost: {max: "25"}
    period: Day
`;

const texts = (yaml: string): readonly string[] => parseManifests(yaml, 'b.yaml').faults.map(manifestFaultText);

describe('parseManifests', () => {
  it('names a mistake once, though the reader finds it twice on its line', () => {
    for (const yaml of [
      'spec: [{a: }}\n',
      'a: {b: ]]\n',
      'kind: TokenBudget\n  metadata: [\n spec: {}\n',
      'a: b: c: d\n',
    ]) {
      const found = texts(yaml);
      expect(found.length).toBeGreaterThan(0);
      expect(new Set(found).size).toBe(found.length);
    }
  });

  it('reads every document of a file, with its place, and skips empty ones', () => {
    const { resources, faults } = parseManifests(
      `---\n# nothing\n---\n${BUDGET}---\n${BUDGET.replace('chat', 'mail')}---\n`,
      'b.yaml',
    );
    expect(faults).toEqual([]);
    expect(
      resources.map(({ resource, file, document, line }) => [resource.metadata.name, file, document, line]),
    ).toEqual([
      ['chat', 'b.yaml', 2, 4],
      ['mail', 'b.yaml', 3, 15],
    ]);
  });

  it('points at the line of each fault, or of the map that lacks a field', () => {
    const yaml = BUDGET.replace('    cost: {max: "25"}\n', '    cost:\n      max: 25\n').replace(
      '    period: Day\n',
      '    colour: red\n',
    );
    expect(texts(yaml)).toEqual([
      'b.yaml:10: TokenBudget team-a/chat: spec.limits[0].cost.max: must be US dollars as a decimal string in quotes, such as "25" or "0.05"',
      'b.yaml:8: TokenBudget team-a/chat: spec.limits[0].period: is required',
      'b.yaml:11: TokenBudget team-a/chat: spec.limits[0].colour: unknown field',
    ]);
  });

  it('keeps the sound documents of a file that has others', () => {
    const { resources, faults } = parseManifests(`${BUDGET}---\nkind: Pod\napiVersion: v1\n---\n- a list\n`, 'b.yaml');
    expect(resources).toHaveLength(1);
    expect(faults.map(manifestFaultText)).toEqual([
      'b.yaml:13: Pod: apiVersion: must be tollgate.dev/v1alpha1, not "v1"',
      'b.yaml:12: Pod: kind: must be one of TokenBudget, ModelRoute, LLMInferenceService, not "Pod"',
      'b.yaml:15: manifest: must be a map with apiVersion, kind, metadata and spec',
    ]);
  });

  it('refuses a key twice, broken YAML and aliases of nothing, with the line', () => {
    expect(texts(`${BUDGET}  limits: []\n`)).toEqual(['b.yaml:11: YAML: Map keys must be unique']);
    expect(texts('a: [1')[0]).toMatch(/^b\.yaml:1: YAML: Flow sequence/);
    expect(texts('a: *nobody')[0]).toMatch(/^b\.yaml:1: YAML: .*nobody/);
    expect(texts('a: !!js/function x')).not.toEqual([]);
  });

  it('refuses aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level += 1)
      lines.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    expect(texts(lines.join('\n'))[0]).toMatch(/^b\.yaml:1: YAML: Excessive alias count/);
  });

  it('refuses names that would change a prototype', () => {
    expect(
      texts(BUDGET.replace('  name: chat', '  name: chat\n  __proto__: {polluted: 1}\n  labels: {constructor: x}')),
    ).toEqual([
      'b.yaml:5: TokenBudget team-a/chat: metadata.__proto__: this name is not allowed',
      'b.yaml:6: TokenBudget team-a/chat: metadata.labels.constructor: this name is not allowed',
    ]);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('refuses a name twice, in one file and across files', () => {
    const files = [
      { name: 'a.yaml', text: BUDGET },
      { name: 'b.yaml', text: `${BUDGET}---\n${BUDGET.replace('team-a', 'team-b')}` },
    ];
    const { resources, faults } = parseManifestFiles(files);
    expect(resources.map(({ file, document }) => [file, document])).toEqual([
      ['a.yaml', 1],
      ['b.yaml', 2],
    ]);
    expect(faults.map(manifestFaultText)).toEqual([
      'b.yaml:1: TokenBudget team-a/chat: metadata.name: is already defined at a.yaml:1',
    ]);
  });

  it('follows anchors and merge keys, as kubectl does', () => {
    const merged = BUDGET.replace('  - name: daily', '  - &base\n    name: daily') + '  - {<<: *base, name: second}\n';
    expect(texts(merged)).toEqual([]);
    const wrong = merged.replace('name: second', 'name: Second');
    expect(texts(wrong)[0]).toMatch(/^b\.yaml:12: TokenBudget team-a\/chat: spec\.limits\[1\]\.name: /);
  });

  it('takes a byte order mark and Windows line ends', () => {
    expect(texts(`\uFEFF${BUDGET.replaceAll('\n', '\r\n')}`)).toEqual([]);
  });

  it('answers for a file that is too long or too deep', () => {
    expect(texts('#'.repeat(5 * 1024 * 1024))).toEqual([
      'b.yaml (document 1): file: must have at most 4194304 characters',
    ]);
    expect(texts('['.repeat(200_000))[0]).toMatch(/^b\.yaml/);
    expect(texts('{a: '.repeat(50_000))[0]).toMatch(/^b\.yaml/);
  });

  it('finds nothing in an empty file', () => {
    expect(parseManifests('', 'b.yaml')).toEqual({ resources: [], faults: [] });
    expect(parseManifests('null', 'b.yaml')).toEqual({ resources: [], faults: [] });
  });
});
