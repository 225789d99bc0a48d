/**
 * The chart of a former version. None was published yet, so it is made of this one: under a lower version, and with definitions
 * that do not know yet what this version's do.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CHART } from './release.ts';

export const FORMER_VERSION = '0.0.9';

export interface FormerChart {
  readonly folder: string;
  remove(): Promise<void>;
}

interface Definition {
  readonly spec: {
    readonly versions: readonly { readonly additionalPrinterColumns?: readonly { readonly name: string }[] }[];
  };
}

/** @param column of `kubectl get tokenbudgets` that it does not have yet */
export const makeFormerChart = async (column: string): Promise<FormerChart> => {
  const home = await mkdtemp(join(tmpdir(), 'tollgate-former-'));
  const folder = join(home, 'tollgate');
  await cp(CHART, folder, { recursive: true });
  await edit(join(folder, 'Chart.yaml'), (chart) => ({
    ...(chart as object),
    version: FORMER_VERSION,
    appVersion: FORMER_VERSION,
  }));
  await edit(join(folder, 'files/crds/tollgate.dev_tokenbudgets.yaml'), (definition) =>
    withoutColumn(definition as Definition, column),
  );
  return { folder, remove: () => rm(home, { recursive: true, force: true }) };
};

const edit = async (file: string, change: (content: unknown) => object): Promise<void> => {
  await writeFile(file, stringify(change(parse(await readFile(file, 'utf8')))));
};

const withoutColumn = ({ spec, ...rest }: Definition, column: string): Definition => {
  const versions = spec.versions.map(({ additionalPrinterColumns = [], ...version }) => {
    const kept = additionalPrinterColumns.filter(({ name }) => name.toUpperCase() !== column);
    if (kept.length === additionalPrinterColumns.length) throw new Error(`the definition has no column ${column}`);
    return { ...version, additionalPrinterColumns: kept };
  });
  return { ...rest, spec: { ...spec, versions } };
};
