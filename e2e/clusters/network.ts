/** The cluster's own network namespace, and the cable that leads out of it. Needs root. */
import { rm } from 'node:fs/promises';
import { NETWORK } from './place.ts';
import { endsWell, runCommand } from './run-command.ts';

/** How a program is started inside; it keeps the machine's file system, since mounts of one are needed by another. */
export const INSIDE = ['nsenter', `--net=/run/netns/${NETWORK.namespace}`, '--'] as const;

const SETTINGS = ['ipv4/ip_forward', 'bridge/bridge-nf-call-iptables'];

export const networkExists = (): Promise<boolean> => endsWell('ip', ['-n', NETWORK.namespace, 'link', 'show']);

/** By their process numbers; a dead one that nobody has buried yet is not among them. */
export const namespaceProcesses = async (): Promise<ReadonlySet<number>> => {
  const listed = await runCommand('ip', ['netns', 'pids', NETWORK.namespace]).catch(() => '');
  return new Set(listed.split('\n').filter(Boolean).map(Number));
};

export const makeNetwork = async (): Promise<void> => {
  const { namespace, cable, bridge } = NETWORK;
  const inside = (...args: readonly string[]): Promise<string> => runCommand('ip', ['-n', namespace, ...args]);
  await runCommand('ip', ['netns', 'add', namespace]);
  await inside('link', 'set', 'lo', 'up');
  await inside('link', 'add', bridge, 'type', 'bridge');
  await inside('addr', 'add', `${NETWORK.nodeAddress}/24`, 'dev', bridge);
  await inside('link', 'set', bridge, 'up');

  const ends = ['type', 'veth', 'peer', 'name', cable.inside, 'netns', namespace];
  await runCommand('ip', ['link', 'add', cable.outside, ...ends]);
  await inside('addr', 'add', `${NETWORK.uplinkAddress}/30`, 'dev', cable.inside);
  await inside('link', 'set', cable.inside, 'up');
  await runCommand('ip', ['addr', 'add', `${NETWORK.hostAddress}/30`, 'dev', cable.outside]);
  await runCommand('ip', ['link', 'set', cable.outside, 'up']);
  await inside('route', 'add', 'default', 'via', NETWORK.hostAddress);
  for (const range of [NETWORK.podCidr, NETWORK.serviceCidr]) {
    await runCommand('ip', ['route', 'add', range, 'via', NETWORK.uplinkAddress]);
  }

  // Built into some kernels, a module in others; without it a pod does not reach a Service of its own node.
  await endsWell('modprobe', ['br_netfilter']);
  const [enter, ...entering] = INSIDE;
  // Written in there: what /proc/sys/net shows is the namespace's of who looks. (A small Debian has no sysctl.)
  const switchOn = SETTINGS.map((setting) => `echo 1 >/proc/sys/net/${setting}`).join(' && ');
  await runCommand(enter, [...entering, 'sh', '-c', switchOn]);
};

/** With the namespace go the bridge, the cable, the routes over it, and every rule of kube-proxy. */
export const removeNetwork = async (): Promise<void> => {
  await endsWell('ip', ['netns', 'del', NETWORK.namespace]);
  await endsWell('ip', ['link', 'del', NETWORK.cable.outside]);
  // A name without a namespace behind it is left when the machine was restarted.
  await rm(`/run/netns/${NETWORK.namespace}`, { force: true }).catch(() => undefined);
};
