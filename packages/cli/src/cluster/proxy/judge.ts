/** What is wrong with the proxy of one pod. Pure. */
import { INJECT, isMap, mapOf } from '@tollgate/operator/injection';
import { isCurrentImage } from '../current-image.ts';
import { finding, type Finding } from '../finding.ts';
import { lackingProxy, unclearWish } from '../lacking-proxy.ts';
import type { ProxyContainer, ProxyFacts } from './facts.ts';

export const judgeProxy = (facts: ProxyFacts): readonly Finding[] => {
  const { container } = facts;
  if (container === null) return [bare(facts)];
  return [...lifeOf(facts, container), ...imageOf(facts, container), ...statusOf(facts), ...environmentOf(facts)];
};

const objectOf = ({ namespace, pod }: ProxyFacts): string => `pod/${pod} -n ${namespace}`;
const logsOf = (facts: ProxyFacts): string => `kubectl logs ${objectOf(facts)} -c tollgate-proxy --tail=50`;

const bare = (facts: ProxyFacts): Finding => {
  const object = objectOf(facts);
  if (facts.asks) return lackingProxy(object, facts);
  return facts.unclear !== null
    ? unclearWish(object, facts.unclear)
    : finding(
        'error',
        object,
        'carries no proxy, and does not ask for it',
        `kubectl annotate deployment NAME -n ${facts.namespace} ${INJECT}=true`,
      );
};

const lifeOf = (facts: ProxyFacts, container: ProxyContainer): readonly Finding[] => {
  const object = objectOf(facts);
  const { isReady, isRunning, restarts, trouble, lastEnd } = container;
  const former = lastEnd === '' ? '' : `, the last time by ${lastEnd}`;
  const life = isRunning
    ? isReady
      ? finding('ok', object, 'the proxy runs and has started')
      : finding('warning', object, 'the proxy runs and has not started yet', logsOf(facts))
    : facts.phase === 'Succeeded' || facts.phase === 'Failed'
      ? finding('info', object, `the pod is over (${facts.phase})`)
      : finding(
          'error',
          object,
          `the proxy does not run${trouble === '' ? '' : `: ${trouble}`}`,
          `kubectl describe ${object}`,
        );
  if (restarts === 0) return [life];
  const hint =
    lastEnd === 'OOMKilled'
      ? 'raise its memory with the annotation tollgate.dev/proxy-memory-limit'
      : `${logsOf(facts)} --previous`;
  return [
    life,
    finding(
      'warning',
      object,
      `the proxy was started again ${restarts === 1 ? 'once' : `${String(restarts)} times`}${former}`,
      hint,
    ),
  ];
};

const imageOf = (facts: ProxyFacts, { image }: ProxyContainer): readonly Finding[] => {
  const { settings } = facts;
  if (settings === null)
    return [
      finding(
        'info',
        objectOf(facts),
        'whether its image is the current one is not known: the settings of injection could not be read',
      ),
    ];
  return isCurrentImage(image, settings)
    ? [finding('ok', objectOf(facts), `its image is what new pods get: ${image}`)]
    : [
        finding(
          'warning',
          objectOf(facts),
          `its image is ${image}, and new pods get ${settings.proxyImage}`,
          'kubectl rollout restart of its workload',
        ),
      ];
};

/** From then on it has missed several of the calls that it makes to the server by itself. */
const SILENT_MS = 120_000;
/** From 90 % of its bound a proxy takes no call on. */
const SPOOL_FULL = 0.75;

const statusOf = (facts: ProxyFacts): readonly Finding[] => {
  const { status, ready } = facts;
  const object = objectOf(facts);
  if (status === null) return [];
  if (status.status !== 200) {
    return [
      finding(
        'warning',
        object,
        `its admin port does not answer through the API server${status.status === 0 ? '' : ` (${String(status.status)})`}: ${firstLine(status.body)}`,
        `see whether a NetworkPolicy keeps the API server from it: kubectl port-forward ${object} 4190, then http://127.0.0.1:4190/status`,
      ),
    ];
  }
  const told = mapOf(status.body);
  const part = (name: string): Readonly<Record<string, unknown>> => (isMap(told[name]) ? told[name] : {});
  return [
    ...(ready?.status === 503
      ? [finding('error', object, `the proxy is not ready: ${firstLine(ready.body)}`, serverHint)]
      : []),
    ...conditionOf(object, told, logsOf(facts)),
    ...policyOf(object, part('policy')),
    ...spoolOf(object, part('spool'), part('ledger'), logsOf(facts)),
  ];
};

const serverHint = 'kubectl tollgate check says how the server is';

const conditionOf = (
  object: string,
  { state, reasons }: Readonly<Record<string, unknown>>,
  logs: string,
): readonly Finding[] => {
  if (state !== 'degraded' && state !== 'refusing') return [];
  const why = Array.isArray(reasons) ? reasons.join(', ') : '';
  return state === 'refusing'
    ? [
        finding(
          'error',
          object,
          `calls under Hard budgets are refused: ${why}`,
          `${logs}; docs/outages.md says what each reason means`,
        ),
      ]
    : [
        finding(
          'warning',
          object,
          `it goes on with what it has in hand: ${why}`,
          `${logs}; docs/outages.md says what each reason means`,
        ),
      ];
};

const policyOf = (object: string, { version, ageMs }: Readonly<Record<string, unknown>>): readonly Finding[] => {
  if (typeof ageMs !== 'number')
    return [finding('error', object, 'it has had no policy yet: calls wait for it', serverHint)];
  const heard = `the server was heard of ${String(Math.round(ageMs / 1000))} s ago`;
  return ageMs > SILENT_MS
    ? [finding('warning', object, heard, serverHint)]
    : [
        finding(
          'ok',
          object,
          `its policy is in force (version ${typeof version === 'string' || typeof version === 'number' ? String(version) : 'not told'}); ${heard}`,
        ),
      ];
};

const spoolOf = (
  object: string,
  { bytes, maxBytes, writeFaults }: Readonly<Record<string, unknown>>,
  { pendingEvents, outageMs }: Readonly<Record<string, unknown>>,
  logs: string,
): readonly Finding[] => {
  const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const used = count(maxBytes) === 0 ? 0 : count(bytes) / count(maxBytes);
  const waiting = `${String(count(pendingEvents))} events wait for the server`;
  return [
    ...(count(writeFaults) > 0
      ? [finding('error', object, `the disk of its spool did not take ${String(writeFaults)} writes`, logs)]
      : []),
    used > SPOOL_FULL
      ? finding('warning', object, `its spool is ${String(Math.round(used * 100))} % full; ${waiting}`, serverHint)
      : finding('ok', object, `its spool has room; ${waiting}`),
    ...(typeof outageMs === 'number'
      ? [
          finding(
            'warning',
            object,
            `the server has not answered about leases for ${String(Math.round(outageMs / 1000))} s`,
            serverHint,
          ),
        ]
      : []),
  ];
};

const environmentOf = (facts: ProxyFacts): readonly Finding[] => {
  const object = objectOf(facts);
  return [
    ...facts.skippedEnv.map((variable) =>
      finding(
        'warning',
        object,
        `${variable} stays as it was: its calls are not metered`,
        `kubectl tollgate scan -n ${facts.namespace} says why`,
      ),
    ),
    ...Object.entries(facts.upstreams).map(([provider, url]) =>
      finding('info', object, `calls to ${provider} go to the pod's own base URL, ${url}`),
    ),
  ];
};

const firstLine = (text: string): string =>
  (text.split('\n').find((line) => line.trim() !== '') ?? 'nothing more').trim().slice(0, 300);
