import { describe, expect, it } from '@jest/globals';
import { printAge } from './age.ts';
import { readPath } from './json-path.ts';
import { printResources } from './resource-table.ts';
import { printTable } from './table.ts';

describe('a table', () => {
  it('aligns its columns as kubectl does, three spaces apart, with nothing after the last', () => {
    expect(printTable(['NAME', 'AGE'], [['a-long-name', '5s'], ['b']])).toBe(
      'NAME          AGE\na-long-name   5s\nb\n',
    );
  });

  it('counts characters and not bytes, and lets no cell move the cursor', () => {
    expect(
      printTable(
        ['A', 'B'],
        [
          ['橋梁', 'x'],
          ['\u001b[31m\n\u202e', 'y'],
        ],
      ),
    ).toBe('A         B\n橋梁        x\n\ufffd[31m\ufffd\ufffd   y\n');
  });
});

describe('an age', () => {
  it.each([
    [-5, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [600, '10m'],
    [179 * 60, '179m'],
    [3 * 3600, '3h'],
    [3 * 3600 + 300, '3h5m'],
    [9 * 3600, '9h'],
    [47 * 3600, '47h'],
    [49 * 3600, '2d1h'],
    [9 * 86_400, '9d'],
    [800 * 86_400, '2y70d'],
    [4000 * 86_400, '10y'],
  ])('of %d seconds is %s, as kubectl says it', (seconds, text) => {
    expect(printAge(seconds * 1000)).toBe(text);
  });
});

describe('a path of a printer column', () => {
  const resource = { status: { conditions: [{ type: 'Ready', status: 'True' }], summary: { spent: '$1.50' } } };

  it('reads fields and the entry of a list that it names', () => {
    expect(readPath(resource, '.status.summary.spent')).toBe('$1.50');
    expect(readPath(resource, '.status.conditions[?(@.type=="Ready")].status')).toBe('True');
  });

  it('reads nothing where anything on the way is missing', () => {
    for (const path of [
      '.spec.a.b',
      '.status.conditions[?(@.type=="Other")].status',
      '.status[?(@.a=="b")]',
      '.constructor',
    ]) {
      expect(readPath(resource, path)).toBeUndefined();
    }
  });

  it('is refused when it is no such path', () => {
    expect(() => readPath({}, '.a[0]')).toThrow('not a column path');
  });
});

describe('a table of resources', () => {
  const columns = [
    { name: 'Spent', type: 'string', jsonPath: '.status.spent' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Pods', type: 'integer', jsonPath: '.status.pods', priority: 1 },
  ] as const;
  const resources = [
    {
      metadata: { name: 'a', namespace: 'x', creationTimestamp: '2026-11-21T10:00:00Z' },
      status: { spent: '$1', pods: 3 },
    },
    { metadata: { name: 'b', namespace: 'y', creationTimestamp: 'nonsense' } },
  ];
  const now = Date.parse('2026-11-21T10:00:30Z');

  it('shows what the CRD shows, and leaves empty what is not there', () => {
    expect(printResources(resources, { columns, isWide: false, withNamespace: false, now })).toBe(
      'NAME   SPENT   AGE\na      $1      30s\nb              <unknown>\n',
    );
  });

  it('shows all columns when wide, and namespaces when asked', () => {
    expect(printResources(resources, { columns, isWide: true, withNamespace: true, now })).toBe(
      'NAMESPACE   NAME   SPENT   AGE         PODS\nx           a      $1      30s         3\ny           b              <unknown>\n',
    );
  });
});
