/** What the end-to-end suite needs of a cluster, whichever it is. */
export interface SuiteCluster {
  readonly kubeconfig: string;
  readonly tools: { readonly kubectl: string; readonly helm: string };
  /** What the chart's built-in stores run as where no registry can be reached; nothing where one can. */
  helmValues(): Promise<Readonly<Record<string, unknown>>>;
  /** A command line that kills the API server, at once and without asking it, and ends when it is back or coming back. */
  readonly restartApiServer: string | null;
  /** Puts images of this machine where the nodes find them. */
  load(images: readonly string[]): Promise<void>;
  /** What its daemons said, into that folder: it is asked for after a failure, and before the cluster goes. */
  saveLogs(folder: string): Promise<void>;
  remove(): Promise<void>;
}
