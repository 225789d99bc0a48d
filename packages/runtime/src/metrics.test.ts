import { describe, expect, it } from '@jest/globals';
import { makeMetrics, metricsTable } from './metrics.ts';

const LIST = [
  { name: 'tollgate_requests_total', kind: 'counter', help: 'Calls answered.', labels: ['outcome'] },
  { name: 'tollgate_bytes_total', kind: 'counter', help: 'Bytes passed.' },
  { name: 'tollgate_open', kind: 'gauge', help: 'Calls open.', labels: ['format'] },
  { name: 'tollgate_wait_seconds', kind: 'histogram', help: 'Time waited.', labels: [], buckets: [0.1, 1] },
  { name: 'tollgate_plain_seconds', kind: 'histogram', help: 'Time.', labels: [] },
] as const;

const make = () => makeMetrics(LIST, { processMetrics: false });

describe('metrics', () => {
  it('are counted, set and observed by the names of one list', async () => {
    const metrics = make();
    metrics.add('tollgate_requests_total', { outcome: 'admitted' });
    metrics.add('tollgate_requests_total', { outcome: 'admitted' }, 2);
    metrics.set('tollgate_open', { format: 'openai' }, 4);
    metrics.observe('tollgate_wait_seconds', {}, 0.5);
    const page = await metrics.page();
    expect(page).toContain('tollgate_requests_total{outcome="admitted"} 3');
    expect(page).toContain('tollgate_open{format="openai"} 4');
    expect(page).toContain('tollgate_wait_seconds_bucket{le="1"} 1');
    expect(metrics.contentType).toContain('text/plain');
  });

  it('are typed by the list: a wrong name, kind or label does not compile', () => {
    const metrics = make();
    const wrong = [
      // @ts-expect-error a label too few
      () => metrics.add('tollgate_requests_total', {}),
      // @ts-expect-error a label too many
      () => metrics.add('tollgate_bytes_total', { outcome: 'x' }),
      // @ts-expect-error a gauge is set
      () => metrics.add('tollgate_open', { format: 'x' }),
    ];
    expect(wrong).toHaveLength(3);
  });

  it('may be plain numbers elsewhere, asked when the page is read', async () => {
    const metrics = make();
    let bytes = 0;
    metrics.source('tollgate_bytes_total', () => [{ labels: {}, value: bytes }]);
    metrics.source('tollgate_open', () => [{ labels: { format: 'gemini' }, value: 1 }]);
    bytes = 7;
    expect(await metrics.page()).toContain('tollgate_bytes_total 7');
    bytes = 9;
    expect(await metrics.page()).toContain('tollgate_bytes_total 9');
    expect(() => metrics.source('tollgate_bytes_total', () => [])).toThrow('has a source already');
  });

  it('include the process itself unless told otherwise', async () => {
    expect(await makeMetrics([]).page()).toContain('process_cpu_seconds_total');
    expect(await make().page()).not.toContain('process_cpu_seconds_total');
  });

  it('keep to the rules of their names', () => {
    const one = (name: string, kind: 'counter' | 'gauge') => () =>
      makeMetrics([{ name, kind, help: 'Help.' }], { processMetrics: false });
    expect(one('requests_total', 'counter')).toThrow('must be tollgate_');
    expect(one('tollgate_requests', 'counter')).toThrow('must end in _total');
    expect(one('tollgate_Open', 'gauge')).toThrow('lower case');
    expect(one('workqueue_adds_total', 'counter')).not.toThrow();
    expect(() => make().add('tollgate_other_total' as 'tollgate_bytes_total', {})).toThrow('not in the list');
  });

  it('name nobody on a nameless page', () => {
    const list = [{ name: 'tollgate_x_total', kind: 'counter', help: '', labels: ['budget'] }] as const;
    expect(() => makeMetrics(list, { nameless: true, processMetrics: false })).toThrow('names nobody');
  });

  it('are documented from the same list', () => {
    expect(metricsTable(LIST)).toContain('| `tollgate_requests_total` | counter | outcome | Calls answered. |');
    expect(metricsTable(LIST)).toContain('| `tollgate_bytes_total` | counter | – | Bytes passed. |');
  });
});
