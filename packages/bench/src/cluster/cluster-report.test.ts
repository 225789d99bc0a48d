import { describe, expect, it } from '@jest/globals';
import { clusterReport, type ClusterFigure, type ClusterFigures } from './cluster-report.ts';

const figure = (what: string, p99: number): ClusterFigure => ({
  what,
  percentiles: { p50: 3.14, p99, max: p99 + 1000 },
  unit: 'ms',
  measurements: 200,
});
const report = (figures: ClusterFigures): string =>
  clusterReport({
    figures,
    machine: { cores: 2, model: 'A Processor', memoryGiB: 24, node: 'v24.0.0' },
    date: '2026-11-21',
  });
const FIGURES = {
  snapshots: [figure('a change', 900)],
  injection: [figure('without', 12), figure('with', 60), figure('added', 49)],
};

describe('the section of the cluster', () => {
  it('has a row a figure, and each goal with what was measured', () => {
    const text = report(FIGURES);
    expect(text).toContain('2 cores (A Processor)');
    expect(text).toContain('| a change | 3.1 | 900 | 1,900 | 200 |');
    expect(text).toContain('| added to the making of a pod, p99, ms | 49 | < 50 | met |');
    expect(text).toContain('the slowest of all changes, ms | 1,900 | < 2,000 | met |');
  });

  it('says what was missed', () => {
    const slow = {
      snapshots: [figure('a change', 1000)],
      injection: [figure('without', 10), figure('with', 60), figure('added', 50)],
    };
    expect(report(slow).match(/\*\*missed\*\*/g)).toHaveLength(2);
  });

  it('is not made of half the figures', () => {
    expect(() => report({ snapshots: FIGURES.snapshots })).toThrow('make bench-cluster');
  });
});
