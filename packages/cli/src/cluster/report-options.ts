/** The options of the commands that report on a cluster. */
import type { ClusterOptions } from './options.ts';

export type ReportOutput = 'json' | 'yaml';

export interface ReportOptions extends ClusterOptions {
  readonly output?: ReportOutput;
  /** Where Tollgate is installed; found by its labels where it is not said. */
  readonly systemNamespace?: string;
}
