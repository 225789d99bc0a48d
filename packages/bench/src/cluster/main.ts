/** The second half of `make bench-cluster`: what the suite has left in dist/test-results, written to docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { thisMachine } from '../machine.ts';
import { withSection } from '../page.ts';
import { clusterReport, type ClusterFigures } from './cluster-report.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');
const page = resolve(ROOT, 'docs/benchmarks.md');

const figures = JSON.parse(readFileSync(resolve(ROOT, 'dist/test-results/e2e-figures.json'), 'utf8')) as ClusterFigures;
const text = clusterReport({ figures, machine: thisMachine(), date: new Date().toISOString().slice(0, 10) });
writeFileSync(page, withSection(readFileSync(page, 'utf8'), 'cluster', text));
process.stderr.write(`written: ${page}\n`);
