/**
 * What of the chart is made from elsewhere: its copies of the definitions, what operator and
 * injector ask of the API server, and its README from its values.
 */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { crdFiles } from '../crds/crd-files.ts';
import type { GeneratedFile } from '../generated-file.ts';
import { operatorFiles } from './operator-files.ts';
import { valuesPage } from './values-page.ts';

const CHART = 'charts/tollgate';
const VALUES = '<!-- values -->';

/** @param root of the repository */
export const chartFiles = (root: string): readonly GeneratedFile[] => {
  const read = (file: string): string => readFileSync(join(root, CHART, file), 'utf8');
  const template = read('README.template.md');
  if (!template.includes(VALUES))
    throw new Error(`${CHART}/README.template.md: no line ${VALUES} to put the values at`);
  return [
    // Helm takes nothing from outside a chart.
    ...crdFiles().map(({ path, text }) => ({ path: `${CHART}/files/crds/${basename(path)}`, text })),
    ...operatorFiles(),
    { path: `${CHART}/README.md`, text: template.replace(VALUES, () => valuesPage(read('values.yaml'))) },
  ];
};
