/** `scan`: gather → decide (pure) → print. Reads, and writes nothing. */
import { TOKEN_BUDGETS } from '@tollgate/operator/inspection';
import type { Io } from '../../io.ts';
import { printReport } from '../print-report.ts';
import { defaultSettings, installedSettings } from '../injection-settings.ts';
import { findInstallation } from '../installation.ts';
import { withCluster, type Cluster } from '../open-cluster.ts';
import type { ReportOptions } from '../report-options.ts';
import { told, valueOr, whyNotRead } from '../told.ts';
import { gatherScan } from './gather-workloads.ts';
import { printScan, type ScanReport } from './print-scan.ts';
import { scanWorkload, type ScannedWorkload } from './scan-workload.ts';

export const scan = (options: ReportOptions, io: Io): Promise<void> =>
  withCluster(options, io, async (cluster) => {
    const report = await scanCluster(cluster, options.systemNamespace);
    io.stdout(printReport(report, options.output, () => printScan(report)));
  });

const scanCluster = async (cluster: Cluster, systemNamespace: string | undefined): Promise<ScanReport> => {
  const found = await told(findInstallation(cluster, systemNamespace));
  const installation = found.known ? found.value : null;
  const settingsRead = installation === null ? [] : [await told(installedSettings(cluster, installation))];
  const [own] = settingsRead;
  const settings = own?.known === true ? own.value : defaultSettings();
  const { workloads, modes, configMaps, kubernetesMinor, unread } = await gatherScan(cluster);
  const scanned = workloads.flatMap(
    ({ namespace, workload, pods }) =>
      scanWorkload(workload, {
        namespace: { name: namespace, mode: modes.get(namespace) ?? null, routeKeys: [], kubernetesMinor },
        settings,
        configMaps: configMaps.get(namespace) ?? new Map(),
        pods,
      }) ?? [],
  );
  return {
    workloads: scanned.filter(({ namespace }) => namespace !== installation?.namespace).sort(byPlace),
    installed: found.known ? installation !== null : await servesOurs(cluster),
    unread: [
      ...(found.known ? [] : [`how pods are injected there: ${found.why}`]),
      ...whyNotRead(...settingsRead),
      ...unread,
    ],
  };
};

/** Who may not look for the programs can still see whether the API server knows the kinds. */
const servesOurs = async ({ api }: Cluster): Promise<boolean | null> =>
  valueOr(await told(api.serves(TOKEN_BUDGETS)), null);

const byPlace = (a: ScannedWorkload, b: ScannedWorkload): number => (placeOf(a) < placeOf(b) ? -1 : 1);
const placeOf = ({ namespace, kind, name }: ScannedWorkload): string => `${namespace}/${kind}/${name}`;
