/**
 * Makes the proxy's container what it should be again. Other webhooks see it too: an old one drops fields it does not know,
 * a mesh leads probes through itself, a platform assigns a user. What they add on purpose stays; what makes the container
 * the proxy is put back.
 */
import { imageName } from './image-name.ts';
import { isMap, isSameJson } from './json-value.ts';
import type { Container, EnvVar } from './pod.ts';
import type { ProxyContainer } from './proxy-container.ts';
import type { InjectionSettings } from './settings.ts';

/** Fields by which other code than the proxy's would run, or other files than its own be read. */
const REMOVED = ['command', 'args', 'workingDir', 'envFrom', 'lifecycle', 'volumeDevices', 'stdin', 'stdinOnce', 'tty'];

/** The container to have. Equal to `present` where nothing is wrong with it. */
export const repaired = (present: Container, wanted: ProxyContainer, settings: InjectionSettings): unknown => {
  const kept = Object.fromEntries(Object.entries(present).filter(([name]) => !REMOVED.includes(name)));
  return {
    ...kept,
    ...wanted,
    image: imageOf(present.image ?? '', settings),
    // AlwaysPullImages and the like are the cluster's to decide.
    ...(present['imagePullPolicy'] == null ? {} : { imagePullPolicy: present['imagePullPolicy'] }),
    env: envOf(present.env ?? [], wanted.env),
    ports: isSamePorts(present.ports, wanted.ports) ? present.ports : wanted.ports,
    startupProbe: probeOf(present['startupProbe'], wanted.startupProbe),
    livenessProbe: probeOf(present['livenessProbe'], wanted.livenessProbe),
    resources: resourcesOf(present['resources'], wanted.resources),
    securityContext: { ...assignedUser(present.securityContext), ...wanted.securityContext },
    volumeMounts: isSameJson(present.volumeMounts, wanted.volumeMounts) ? present.volumeMounts : wanted.volumeMounts,
  };
};

/** A mirror of the same version is the proxy; another version of it is what a replica with other settings put in. */
const imageOf = (present: string, { proxyImage, imageMirrors }: InjectionSettings): string => {
  const { repository, version } = imageName(present);
  return imageMirrors.includes(repository) && version === imageName(proxyImage).version ? present : proxyImage;
};

/** Ours first and as wanted. What others add to all containers stays, but for what would change the program that runs. */
const envOf = (present: readonly EnvVar[], wanted: readonly EnvVar[]): readonly EnvVar[] => {
  const names = new Set(wanted.map(({ name }) => name));
  const foreign = present.filter(({ name }) => !names.has(name) && !HARMFUL.test(name));
  return [...wanted, ...foreign];
};

const HARMFUL = /^(TOLLGATE_|NODE_(?!EXTRA_CA_CERTS$)|LD_|OPENSSL_|https?_proxy$|HTTPS?_PROXY$|no_proxy$|NO_PROXY$)/;

const isSamePorts = (present: Container['ports'], wanted: ProxyContainer['ports']): boolean =>
  present != null &&
  present.length === wanted.length &&
  wanted.every(
    ({ name, containerPort }, index) =>
      present[index]?.containerPort === containerPort &&
      present[index]['name'] === name &&
      present[index].hostPort == null,
  );

/** One that asks over HTTP may have been led through a mesh; any other kind runs a command or proves nothing. */
const probeOf = (present: unknown, wanted: unknown): unknown =>
  isMap(present) && isMap(present['httpGet']) ? present : wanted;

/** A LimitRange may have added to them. Without requests no autoscaler can reckon with the pod. */
const resourcesOf = (present: unknown, wanted: unknown): unknown => {
  if (!isMap(present) || !isMap(wanted)) return wanted;
  const section = (name: string): Readonly<Record<string, unknown>> => {
    const [mine, theirs] = [wanted[name], present[name]];
    return { ...(isMap(theirs) ? theirs : {}), ...(isMap(mine) ? mine : {}) };
  };
  return { ...present, requests: section('requests'), limits: section('limits') };
};

/** What OpenShift assigns: users and labels, none of which raises a right. Root is none of them. */
const assignedUser = (present: Container['securityContext']): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(present ?? {}).filter(
      ([name, value]) =>
        name === 'seLinuxOptions' || ((name === 'runAsUser' || name === 'runAsGroup') && value !== 0 && value !== null),
    ),
  );
