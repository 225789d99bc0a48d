/** Which server a command asks: that of a laptop or an address, or that of the cluster of the kubeconfig. Pure. */
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';

export interface TargetOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly state?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly systemNamespace?: string;
  readonly serviceAccount?: string;
}

export type Target = 'address' | 'cluster';

type Flags = readonly (readonly [option: keyof TargetOptions, flag: string])[];

const OF_ADDRESS: Flags = [
  ['server', '--server'],
  ['tokenFile', '--token-file'],
  ['state', '--state'],
];
const OF_CLUSTER: Flags = [
  ['context', '--context'],
  ['kubeconfig', '--kubeconfig'],
  ['systemNamespace', '--system-namespace'],
  ['serviceAccount', '--service-account'],
];

/**
 * What an option says; else a server that the environment names; else a cluster for `kubectl tollgate`, and for
 * `tollgate` the `tollgate serve` of this user.
 *
 * @throws CliError where options of both are given.
 */
export const chooseTarget = (
  options: TargetOptions,
  { env, isKubectlPlugin }: Pick<Io, 'env' | 'isKubectlPlugin'>,
): Target => {
  const address = given(options, OF_ADDRESS);
  const cluster = given(options, OF_CLUSTER);
  if (address !== undefined && cluster !== undefined) {
    throw new CliError(`${address} is for a server at an address, ${cluster} for the one of a cluster`, {
      todo: 'give one of the two',
      exitCode: EXIT.usage,
    });
  }
  if (cluster !== undefined) return 'cluster';
  if (address !== undefined || env['TOLLGATE_SERVER_URL']) return 'address';
  return isKubectlPlugin ? 'cluster' : 'address';
};

/** The first of these options that is given, as it is written. */
const given = (options: TargetOptions, flags: Flags): string | undefined =>
  flags.find(([option]) => options[option] !== undefined)?.[1];
