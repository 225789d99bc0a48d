/** What is wrong with an installation, and what to do about it. Pure. */
import { INJECTION, mapOf, type InjectionSettings } from '@tollgate/operator/injection';
import { finding, someOf, type Finding } from '../finding.ts';
import { lackingProxy, unclearWish } from '../lacking-proxy.ts';
import type { Component } from '../installation.ts';
import type { InstallationFacts, OwnFacts, PodAnswer, PodFacts, ResourceFacts } from './facts.ts';

export const judgeInstallation = (facts: InstallationFacts): readonly Finding[] =>
  JUDGES.flatMap((judge) => judge(facts));

/** For who may not look at the installation. */
export const judgeOwn = (facts: OwnFacts): readonly Finding[] => {
  const { why, selected, unread: notSeen, pods: read } = facts;
  const hint =
    selected === null ? 'kubectl tollgate check -n NAMESPACE looks at the budgets and pods of one namespace' : null;
  const whole = unread('installation', why);
  const isBlind = !read.known && facts.resources.length === 0;
  return [
    isBlind ? finding('error', 'check', 'nothing of Tollgate may be looked at', hint) : { ...whole, hint },
    ...(isBlind ? [whole] : []),
    ...notSeen.map((one) => unread('resources', one)),
    ...resources(facts),
    ...(read.known ? podFindings(read.value) : [unread('pods', read.why)]),
  ];
};

const SERVED = 'v1alpha1';
const DAY_MS = 86_400_000;
/** A certificate of ours is renewed after two thirds of its 30 days: with a week left nobody has renewed it for days. */
const SOON_MS = 7 * DAY_MS;

const crds = ({ crds: read }: InstallationFacts): readonly Finding[] => {
  if (!read.known) return [unread('customresourcedefinitions', read.why)];
  const faulty = read.value.kinds.flatMap(({ name, isThere, isEstablished, served }) => {
    const object = `crd/${name}`;
    if (!isThere)
      return [
        finding('error', object, 'is not there', 'kubectl apply -f crds/, or helm upgrade with crds.enabled=true'),
      ];
    if (!isEstablished) return [finding('error', object, 'is not established', `kubectl describe crd ${name}`)];
    return served.includes(SERVED)
      ? []
      : [
          finding(
            'error',
            object,
            `does not serve ${SERVED}, but ${served.join(', ') || 'nothing'}`,
            'helm upgrade to the version of this command',
          ),
        ];
  });
  const namesakes = read.value.namesakes.map((name) =>
    finding(
      'warning',
      `crd/${name}`,
      'has a name that ours has too: the short name may mean either',
      `write ${ourName(name)} where kubectl shows the wrong ones`,
    ),
  );
  return faulty.length > 0
    ? [...faulty, ...namesakes]
    : [finding('ok', 'crds', `${String(read.value.kinds.length)} kinds, each serves ${SERVED}`), ...namesakes];
};

const ourName = (name: string): string => `${name.slice(0, name.indexOf('.'))}.tollgate.dev`;

const programs = ({ installation, hasMutatingPolicy }: InstallationFacts): readonly Finding[] => {
  const { namespace, release, programs: found } = installation;
  const wanted: readonly Component[] = ['operator', 'server', ...(hasMutatingPolicy ? [] : (['injector'] as const))];
  const missing = wanted
    .filter((component) => !found.some((program) => program.component === component))
    .map((component) =>
      finding('error', component, `is not in release ${release}`, `helm status ${release} -n ${namespace}`),
    );
  const states = found.map(({ deployment, wanted: replicas, ready }) => {
    const object = `deployment/${deployment} -n ${namespace}`;
    const message = `${String(ready)} of ${String(replicas)} ready`;
    if (ready >= replicas && replicas > 0) return finding('ok', object, message);
    return finding(
      ready === 0 ? 'error' : 'warning',
      object,
      message,
      replicas === 0 ? `kubectl scale ${object} --replicas=2` : `kubectl describe ${object}`,
    );
  });
  return [...missing, ...states];
};

const webhooks = ({ webhooks: read, hasMutatingPolicy, installation, now }: InstallationFacts): readonly Finding[] => {
  if (!read.known) return [unread('mutatingwebhookconfigurations', read.why)];
  if (read.value === null) {
    return hasMutatingPolicy
      ? [finding('ok', 'mutatingadmissionpolicies', 'the API server injects by policy')]
      : [
          finding(
            'error',
            'mutatingwebhookconfiguration',
            'is not there: nothing is injected',
            `helm upgrade ${installation.release} charts/tollgate -n ${installation.namespace} --reuse-values`,
          ),
        ];
  }
  const { name, webhooks: all } = read.value;
  const object = `mutatingwebhookconfiguration/${name}`;
  const logs = `kubectl logs -n ${installation.namespace} -l app.kubernetes.io/component=operator --tail=50`;
  const untrusted = all.filter(
    ({ authorities }) => !authorities.some((one) => one.notBefore <= now && now < one.notAfter),
  );
  if (untrusted.length > 0) {
    const which = someOf(untrusted.map((webhook) => webhook.name));
    return [
      finding(
        'error',
        object,
        `has no caBundle that is valid now in ${which}: pods that ask for the proxy are refused`,
        logs,
      ),
    ];
  }
  return [finding('ok', object, `${String(all.length)} webhooks, each with a valid caBundle`)];
};

const injectors = ({ injectors: found, installation: { namespace } }: InstallationFacts): readonly Finding[] =>
  found.flatMap(({ pod, ready, certificateSeconds }) => {
    const object = `pod/${pod} -n ${namespace}`;
    if (ready.status === 503)
      return [
        finding('error', object, `the injector is not ready: ${firstLine(ready.body)}`, `kubectl logs ${object}`),
      ];
    if (ready.status !== 200) return [unasked(object, ready)];
    if (certificateSeconds === null) return [];
    const days = Math.floor((certificateSeconds * 1000) / DAY_MS);
    const message = `its certificate ends in ${String(days)} days`;
    return certificateSeconds * 1000 < SOON_MS
      ? [
          finding(
            certificateSeconds <= 0 ? 'error' : 'warning',
            object,
            message,
            `kubectl logs -n ${namespace} -l app.kubernetes.io/component=operator --tail=50, or renew it where it is your own`,
          ),
        ]
      : [finding('ok', object, `is what the webhooks trust; ${message}`)];
  });

/** What was tried says more than what was read. */
const trial = ({ trial: tried, installation: { namespace } }: InstallationFacts): readonly Finding[] => {
  const logs = `kubectl logs -n ${namespace} -l app.kubernetes.io/component=injector --tail=50`;
  switch (tried.outcome) {
    case 'injected':
      return [
        finding('ok', `namespace/${tried.namespace}`, 'a pod that asks for the proxy gets it (tried in a dry run)'),
      ];
    case 'bare':
      return [
        finding(
          'error',
          `namespace/${tried.namespace}`,
          'a pod that asks for the proxy starts without it (tried in a dry run)',
          logs,
        ),
      ];
    case 'refused':
      return [
        finding(
          'error',
          `namespace/${tried.namespace}`,
          `a pod that asks for the proxy is refused (tried in a dry run): ${firstLine(tried.why)}`,
          logs,
        ),
      ];
    case 'not tried':
      return [finding('info', 'injection', `was not tried: ${firstLine(tried.why)}`)];
    default:
      return tried satisfies never;
  }
};

const leader = ({ lease, now, installation: { namespace } }: InstallationFacts): readonly Finding[] => {
  if (!lease.known) return [unread('leases', lease.why)];
  const hint = `kubectl logs -n ${namespace} -l app.kubernetes.io/component=operator --tail=50`;
  if (lease.value === null) return [finding('error', `lease -n ${namespace}`, 'no operator has ever led', hint)];
  const { name, holder, renewedAt, seconds } = lease.value;
  const object = `lease/${name} -n ${namespace}`;
  if (holder === '') return [finding('error', object, 'no operator leads: nothing is reconciled', hint)];
  // Clocks differ: twice its time is over on any of them.
  const age = renewedAt === null ? Infinity : (now - renewedAt) / 1000;
  if (age <= 2 * seconds) return [finding('ok', object, `${holder} leads`)];
  const since = Number.isFinite(age) ? `for ${String(Math.round(age))} s` : 'ever';
  return [finding('error', object, `${holder} has not renewed it ${since}: nobody leads`, hint)];
};

const stores = ({ servers, operators, installation: { namespace } }: InstallationFacts): readonly Finding[] => {
  const ofServers = servers.map(({ pod, answer }) => {
    const object = `pod/${pod} -n ${namespace}`;
    if (answer.status === 200) return finding('ok', object, 'the server reaches its database');
    if (answer.status >= 500 && !isOfProxying(answer.body))
      return finding(
        'error',
        object,
        `the server does not reach its database: ${firstLine(answer.body)}`,
        `kubectl logs ${object} --tail=50`,
      );
    return unasked(object, answer);
  });
  return [...ofServers, ...operators.flatMap((operator) => serverFault(operator, namespace))];
};

/** What the operator that leads hears of the server. */
const serverFault = ({ pod, answer }: PodAnswer, namespace: string): readonly Finding[] => {
  if (answer.status !== 200) return [];
  const { leading, server } = mapOf(answer.body);
  if (leading !== true || typeof server !== 'string' || server === '') return [];
  return [
    finding(
      'error',
      `pod/${pod} -n ${namespace}`,
      `the operator has no word with the server: ${server}`,
      `kubectl logs -n ${namespace} -l app.kubernetes.io/component=server --tail=50`,
    ),
  ];
};

const resources = ({ resources: found }: Pick<InstallationFacts, 'resources'>): readonly Finding[] => {
  const bad = found.flatMap((resource) => resourceFindings(resource));
  const ready = found.filter(({ ready: state }) => state === 'True').length;
  return found.length === 0
    ? []
    : [
        ...bad,
        finding(
          'ok',
          'resources',
          `${String(ready)} of ${String(found.length)} budgets, routes and services are ready`,
        ),
      ];
};

const resourceFindings = ({
  kind,
  namespace,
  name,
  ready,
  reason,
  message,
  failing,
}: ResourceFacts): readonly Finding[] => {
  const object = `${kind}/${name} -n ${namespace}`;
  const describe = `kubectl describe ${object}`;
  if (ready !== 'True') {
    const why = reason === '' ? 'has no word of the operator yet' : `is not ready (${reason}): ${message}`;
    return [finding(ready === 'False' ? 'error' : 'warning', object, why, describe)];
  }
  // A message of ours says itself what to do.
  return failing.map((one) =>
    finding('warning', object, `${one.type} does not hold (${one.reason}): ${one.message}`, describe),
  );
};

const namespaces = ({ namespaces: read, settings, installation }: InstallationFacts): readonly Finding[] => {
  if (!read.known) return [unread('namespaces', read.why)];
  const excluded = new Set([installation.namespace, ...excludedOf(settings.known ? settings.value : null)]);
  return read.value.flatMap(({ name, label, mode }) => {
    const object = `namespace/${name}`;
    if (mode === null)
      return [
        finding(
          'warning',
          object,
          `its label ${INJECTION} says "${label}", which is not enabled, required or disabled, and has no effect`,
          `kubectl label namespace ${name} ${INJECTION}=enabled --overwrite`,
        ),
      ];
    return mode !== 'disabled' && excluded.has(name)
      ? [
          finding(
            'warning',
            object,
            `has the label ${INJECTION}=${mode}, and nothing is injected there: it is excluded`,
            `kubectl label namespace ${name} ${INJECTION}-, or take it from injection.settings.excludedNamespaces`,
          ),
        ]
      : [];
  });
};

const excludedOf = (settings: InjectionSettings | null): readonly string[] => settings?.excludedNamespaces ?? [];

const pods = ({ pods: read, settings }: InstallationFacts): readonly Finding[] => {
  const ofSettings = settings.known ? [] : [unread('injection settings', settings.why)];
  if (!read.known) return [...ofSettings, unread('pods', read.why)];
  return [...ofSettings, ...podFindings(read.value)];
};

const podFindings = ({ lacking, unclear, forged, outdated, carrying }: PodFacts): readonly Finding[] => [
  ...lacking.map(({ pod, ...facts }) => lackingProxy(podObject(pod), facts)),
  ...unclear.map(({ pod, word }) => unclearWish(podObject(pod), word)),
  ...forged.map((pod) =>
    finding(
      'error',
      podObject(pod),
      "bears the proxy's label without the proxy",
      `kubectl delete ${podObject(pod)}, and see who made it`,
    ),
  ),
  ...(outdated.length === 0
    ? []
    : [
        finding(
          'info',
          'pods',
          `${String(outdated.length)} carry a proxy of another image than new pods get: ${someOf(outdated)}`,
          'kubectl rollout restart of their workloads renews it',
        ),
      ]),
  finding('ok', 'pods', `${String(carrying)} carry the proxy`),
];

const podObject = (key: string): string =>
  `pod/${key.slice(key.indexOf('/') + 1)} -n ${key.slice(0, key.indexOf('/'))}`;

const JUDGES: readonly ((facts: InstallationFacts) => readonly Finding[])[] = [
  crds,
  programs,
  webhooks,
  injectors,
  trial,
  leader,
  stores,
  resources,
  namespaces,
  pods,
];

const unread = (object: string, why: string): Finding => finding('info', object, `could not be read: ${why}`);

/** The API server hands a request on to the pod; a network policy or a missing right may keep it from that. */
const unasked = (object: string, { status, body }: { readonly status: number; readonly body: string }): Finding =>
  finding('info', object, `could not be asked${status === 0 ? '' : ` (${String(status)})`}: ${firstLine(body)}`);

const isOfProxying = (body: string): boolean => body.includes('error trying to reach service');

const firstLine = (text: string): string =>
  (text.split('\n').find((line) => line.trim() !== '') ?? 'nothing more').trim().slice(0, 300);
