/**
 * The MutatingWebhookConfiguration, as the chart renders it: its test compares the two. No `caBundle`: that field belongs
 * to the rotator.
 *
 * - The API server itself filters by `matchConditions`, so `failurePolicy: Fail` is safe cluster-wide: with no injector
 *   running, only pods that asked for the proxy wait for it, and every other pod is made as if Tollgate were not there.
 * - What the namespace's label says is told by the path that is called, as the API server saw it in that very request: the
 *   injector may not read namespaces, and no cache of it can be behind.
 * - The webhooks for pods exclude each other, so that no pod is sent twice.
 * - `NoneOnDryRun`: a skipped pod is told of in an Event on its owner, but for a dry run.
 */
import { CARRIED, INJECT, INJECTED, INJECTION, PROXY_CONTAINER } from '../injection/names.ts';
import { WEBHOOK_PATHS, type WebhookPath } from './webhook-paths.ts';

export interface WebhookOptions {
  /** Where the API server finds the injector: the chart's Service, or a URL in tests. The path is added. */
  readonly clientConfig: (path: WebhookPath) => unknown;
  /** kube-system, kube-node-lease and Tollgate's own. */
  readonly excludedNamespaces: readonly string[];
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly timeoutSeconds: number;
}

const said = (value: string): string =>
  `object.metadata.?annotations[?'${INJECT}'].orValue('') == '${value}' || ` +
  `object.metadata.?labels[?'${INJECT}'].orValue('') == '${value}'`;

/** A pod that bears the proxy's marks without having asked is looked at too: it would be taken for an injected one. */
const bearsMarks =
  `object.metadata.?labels[?'${INJECTED}'].hasValue() || ` +
  `object.spec.?initContainers.orValue([]).exists(c, c.name == '${PROXY_CONTAINER}') || ` +
  `object.spec.?containers.orValue([]).exists(c, c.name == '${PROXY_CONTAINER}')`;

/** What its own metadata says and its template does not, or what it said before and no longer says. */
const template =
  "(request.kind.kind == 'CronJob' ? object.spec.jobTemplate.spec.template : object.spec.template).?metadata.?annotations";
const former = '(oldObject != null ? oldObject.metadata.?annotations : optional.none())';
const toCarry =
  `[${CARRIED.map((key) => `'${key}'`).join(', ')}].exists(k, ` +
  `(object.metadata.?annotations[?k].hasValue() || ${former}[?k].hasValue()) && ` +
  `object.metadata.?annotations[?k].orValue('') != ${template}[?k].orValue(''))`;

export const MATCH = {
  asksOrBears: { name: 'asks-for-the-proxy', expression: `${said('true')} || ${bearsMarks}` },
  doesNotDecline: { name: 'does-not-decline', expression: `!(${said('false')}) || ${bearsMarks}` },
  saysAnything: {
    name: 'asks-for-the-proxy',
    expression: `object.metadata.?annotations[?'${INJECT}'].hasValue() || object.metadata.?labels[?'${INJECT}'].hasValue()`,
  },
  hasToCarry: { name: 'annotation-to-carry', expression: toCarry },
} as const;

const PODS = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'], scope: 'Namespaced' };
/** The template of a Job cannot be changed once it is made. */
const WORKLOADS = [
  {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    resources: ['deployments', 'statefulsets', 'daemonsets'],
    operations: ['CREATE', 'UPDATE'],
    scope: 'Namespaced',
  },
  {
    apiGroups: ['batch'],
    apiVersions: ['v1'],
    resources: ['cronjobs'],
    operations: ['CREATE', 'UPDATE'],
    scope: 'Namespaced',
  },
  { apiGroups: ['batch'], apiVersions: ['v1'], resources: ['jobs'], operations: ['CREATE'], scope: 'Namespaced' },
];

export const webhookConfiguration = (name: string, options: WebhookOptions): object => {
  const { clientConfig, excludedNamespaces, failurePolicy, timeoutSeconds } = options;
  const elsewhere = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: excludedNamespaces };
  const mode = (operator: 'In' | 'NotIn', ...values: readonly string[]): object => ({
    key: INJECTION,
    operator,
    values,
  });
  const webhook = (
    path: WebhookPath,
    parts: { readonly where: object; readonly rules: readonly object[]; readonly match: readonly object[] },
    onFailure = failurePolicy,
  ): object => ({
    name: `${WEBHOOK_PATHS[path].webhook}.tollgate.dev`,
    admissionReviewVersions: ['v1'],
    clientConfig: clientConfig(path),
    failurePolicy: onFailure,
    matchPolicy: 'Equivalent',
    matchConditions: parts.match,
    namespaceSelector: { matchExpressions: [elsewhere, parts.where] },
    objectSelector: {},
    reinvocationPolicy: 'IfNeeded',
    rules: parts.rules,
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds,
  });
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      webhook('/pods/annotated', {
        where: mode('NotIn', 'enabled', 'required', 'disabled'),
        rules: [PODS],
        match: [MATCH.asksOrBears],
      }),
      webhook('/pods/enabled', { where: mode('In', 'enabled'), rules: [PODS], match: [MATCH.doesNotDecline] }),
      webhook('/pods/required', { where: mode('In', 'required'), rules: [PODS], match: [] }),
      webhook('/workloads', {
        where: mode('NotIn', 'disabled'),
        rules: WORKLOADS,
        match: [MATCH.hasToCarry],
      }),
      // Says why nothing happens, and refuses what poses as injected; it must never stand in anybody's way.
      webhook(
        '/pods/disabled',
        {
          where: mode('In', 'disabled'),
          rules: [PODS],
          match: [{ ...MATCH.saysAnything, expression: `${MATCH.saysAnything.expression} || ${bearsMarks}` }],
        },
        'Ignore',
      ),
    ],
  };
};
