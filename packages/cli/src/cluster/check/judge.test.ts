import { describe, expect, it } from '@jest/globals';
import { hasErrors, type Finding } from '../finding.ts';
import { printFindings } from '../print-findings.ts';
import { someSettings } from '../testing/workloads.ts';
import type { InstallationFacts, LackingPod } from './facts.ts';
import { judgeInstallation } from './judge.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const DAY = 86_400_000;
const known = <T>(value: T) => ({ known: true, value }) as const;
const hidden = { known: false, why: 'pods is forbidden' } as const;
const OK = { status: 200, body: 'ok\n' };
const program = (component: 'operator' | 'injector' | 'server', ready = 2) => ({
  component,
  deployment: `tollgate-${component}`,
  wanted: 2,
  ready,
  lease: null,
});
const kindOf = (plural: string, changes: object = {}) => ({
  name: `${plural}.tollgate.dev`,
  isThere: true,
  isEstablished: true,
  served: ['v1alpha1'],
  ...changes,
});
const KINDS = [kindOf('tokenbudgets'), kindOf('modelroutes'), kindOf('llminferenceservices')];
const INSTALLATION: InstallationFacts['installation'] = {
  namespace: 'tollgate-system',
  release: 'tollgate',
  name: 'tollgate',
  version: '0.1.0',
  programs: [program('operator'), program('injector'), program('server')],
};

const HOSTED = { outcome: 'skipped', reason: 'HostNetwork', message: 'it is on the host', warnings: [] } as const;
const lacking = (changes: Partial<LackingPod> = {}): LackingPod => ({
  pod: 'shop/web-1',
  isOwned: true,
  prospect: null,
  ...changes,
});

const well: InstallationFacts = {
  installation: INSTALLATION,
  crds: known({ kinds: KINDS, namesakes: [] }),
  settings: known(someSettings()),
  webhooks: known({
    name: 'tollgate-injector',
    webhooks: [{ name: 'pod.inject.tollgate.dev', authorities: [{ notBefore: NOW - DAY, notAfter: NOW + DAY }] }],
  }),
  hasMutatingPolicy: false,
  injectors: [{ pod: 'i-1', ready: OK, certificateSeconds: 20 * 86_400 }],
  servers: [{ pod: 's-1', answer: OK }],
  operators: [{ pod: 'o-1', answer: { status: 200, body: '{"leading":true,"server":null}' } }],
  lease: known({ name: 'tollgate-operator', holder: 'o-1', renewedAt: NOW - 5_000, seconds: 15 }),
  trial: { outcome: 'injected', namespace: 'default' },
  resources: [
    {
      kind: 'tokenbudget',
      namespace: 'shop',
      name: 'team',
      ready: 'True',
      reason: 'Enforcing',
      message: '',
      failing: [],
    },
  ],
  namespaces: known([{ name: 'shop', label: 'enabled', mode: 'enabled' }]),
  pods: known({ lacking: [], unclear: [], forged: [], outdated: [], carrying: 4 }),
  now: NOW,
};

/** What it says beyond `ok`. */
const wrong = (changes: Partial<InstallationFacts>): readonly Finding[] =>
  judgeInstallation({ ...well, ...changes }).filter(({ severity }) => severity !== 'ok');

describe('an installation', () => {
  it('that is well gives nothing but good news', () => {
    expect(wrong({})).toEqual([]);
    expect(judgeInstallation(well).length).toBeGreaterThan(8);
  });

  const lease = (changes: object) => ({
    lease: known({ name: 'tollgate-operator', holder: 'o-1', renewedAt: NOW, seconds: 15, ...changes }),
  });
  const resource = (changes: object) => ({
    resources: [{ ...well.resources[0], ready: 'True', ...changes }] as InstallationFacts['resources'],
  });
  const trial = (changes: object) => ({ trial: { namespace: 'default', ...changes } as InstallationFacts['trial'] });
  const pods = (changes: object) => ({
    pods: known({ lacking: [], unclear: [], forged: [], outdated: [], carrying: 0, ...changes }),
  });
  const injector = (changes: object) => ({
    injectors: [{ pod: 'i-1', ready: OK, certificateSeconds: null, ...changes }],
  });
  const webhooks = (authorities: readonly object[]) => ({
    webhooks: known({ name: 'tollgate-injector', webhooks: [{ name: 'pod.inject.tollgate.dev', authorities }] }),
  });

  it.each<readonly [string, object, Finding['severity'], RegExp]>([
    [
      'a kind is missing',
      { crds: known({ kinds: [kindOf('tokenbudgets', { isThere: false })], namesakes: [] }) },
      'error',
      /tokenbudgets.*is not there/,
    ],
    [
      'a kind is served in another version',
      { crds: known({ kinds: [kindOf('tokenbudgets', { served: ['v9'] })], namesakes: [] }) },
      'error',
      /does not serve v1alpha1, but v9/,
    ],
    [
      'a kind has a namesake',
      { crds: known({ kinds: KINDS, namesakes: ['llminferenceservices.serving.kserve.io'] }) },
      'warning',
      /llminferenceservices\.serving\.kserve\.io/,
    ],
    [
      'a program is missing',
      { installation: { ...INSTALLATION, programs: [program('operator'), program('injector')] } },
      'error',
      /^server: is not in release tollgate/,
    ],
    [
      'no replica is ready',
      { installation: { ...INSTALLATION, programs: [program('operator'), program('injector', 0), program('server')] } },
      'error',
      /tollgate-injector.*0 of 2 ready/,
    ],
    [
      'one replica is not',
      { installation: { ...INSTALLATION, programs: [program('operator'), program('injector'), program('server', 1)] } },
      'warning',
      /1 of 2 ready/,
    ],
    ['the webhooks are gone', { webhooks: known(null) }, 'error', /nothing is injected/],
    ['the webhooks trust nobody', webhooks([]), 'error', /no caBundle that is valid now in pod\.inject/],
    [
      'whom they trust has ended',
      webhooks([{ notBefore: NOW - 2 * DAY, notAfter: NOW - DAY }]),
      'error',
      /no caBundle/,
    ],
    [
      'an injector is not ready',
      injector({ ready: { status: 503, body: 'the certificate is not valid now\n' } }),
      'error',
      /the certificate is not valid now/,
    ],
    [
      'an injector cannot be asked',
      injector({ ready: { status: 403, body: 'forbidden' } }),
      'info',
      /could not be asked \(403\): forbidden/,
    ],
    ['a certificate ends soon', injector({ certificateSeconds: 3 * 86_400 }), 'warning', /ends in 3 days/],
    ['a certificate has ended', injector({ certificateSeconds: -10 }), 'error', /certificate/],
    ['a tried pod stays bare', trial({ outcome: 'bare' }), 'error', /starts without it/],
    [
      'a tried pod is refused',
      trial({ outcome: 'refused', why: 'failed calling webhook' }),
      'error',
      /failed calling webhook/,
    ],
    ['nothing could be tried', trial({ outcome: 'not tried', why: 'no right' }), 'info', /was not tried: no right/],
    ['nobody has led', { lease: known(null) }, 'error', /no operator has ever led/],
    ['nobody leads', lease({ holder: '' }), 'error', /no operator leads/],
    ['the leader is silent', lease({ renewedAt: NOW - 60_000 }), 'error', /has not renewed it for 60 s/],
    [
      'a database is away',
      { servers: [{ pod: 's-1', answer: { status: 503, body: 'store unavailable' } }] },
      'error',
      /does not reach its database: store unavailable/,
    ],
    [
      'the operator hears nothing of the server',
      { operators: [{ pod: 'o-1', answer: { status: 200, body: '{"leading":true,"server":"ServerUnreachable"}' } }] },
      'error',
      /ServerUnreachable/,
    ],
    [
      'a budget is not ready',
      resource({ ready: 'False', reason: 'Invalid', message: 'no such zone' }),
      'error',
      /^tokenbudget\/team -n shop: is not ready \(Invalid\): no such zone/,
    ],
    ['nobody has looked at a budget', resource({ ready: 'Unknown', reason: '' }), 'warning', /no word of the operator/],
    [
      'a condition fails beside',
      resource({ failing: [{ type: 'Programmed', reason: 'PartiallyProgrammed', message: '1 of 2' }] }),
      'warning',
      /Programmed does not hold/,
    ],
    [
      'a label says what nobody reads',
      { namespaces: known([{ name: 'shop', label: 'true', mode: null }]) },
      'warning',
      /says "true"/,
    ],
    [
      'a label is where nothing is injected',
      { namespaces: known([{ name: 'kube-system', label: 'enabled', mode: 'enabled' as const }]) },
      'warning',
      /it is excluded/,
    ],
    [
      'a pod lacks the proxy',
      pods({ lacking: [lacking()] }),
      'error',
      /^pod\/web-1 -n shop: asks for the proxy and lacks it/,
    ],
    [
      'a pod cannot carry the proxy',
      pods({ lacking: [lacking({ prospect: HOSTED })] }),
      'error',
      /cannot carry it, so that its calls are not metered: it is on the host \(HostNetwork\)$/,
    ],
    [
      'a pod would not be made again',
      pods({ lacking: [lacking({ prospect: { ...HOSTED, outcome: 'refused', reason: 'InjectionRequired' } })] }),
      'error',
      /made again it would be refused: it is on the host \(InjectionRequired\)$/,
    ],
    [
      'nobody can tell what would come of a pod',
      pods({ lacking: [lacking({ prospect: 'unknown' })] }),
      'error',
      /asks for the proxy and lacks it: its calls are not metered$/,
    ],
    [
      'a pod says neither yes nor no',
      pods({ unclear: [{ pod: 'shop/web-1', word: 'TRUE' }] }),
      'warning',
      /^pod\/web-1 -n shop: tollgate\.dev\/inject must be "true" or "false", not "TRUE": as it is, it asks for nothing$/,
    ],
    ['a pod bears its label only', pods({ forged: ['shop/web-1'] }), 'error', /without the proxy/],
    [
      'pods carry another image',
      pods({ outdated: ['a/1', 'a/2', 'a/3', 'a/4'] }),
      'info',
      /4 carry.*a\/1, a\/2, a\/3 and 1 more/,
    ],
    ['pods may not be listed', { pods: hidden }, 'info', /could not be read: pods is forbidden/],
  ])('is told where %s', (_title, changes, severity, words) => {
    const findings = wrong(changes);
    const told = findings.filter(({ object, message }) => words.test(`${object}: ${message}`));
    expect(told.map((one) => one.severity)).toEqual([severity]);
    if (severity !== 'info') expect(told[0]?.hint).not.toBeNull();
    expect(hasErrors(findings)).toBe(severity === 'error');
  });

  it.each<readonly [string, Partial<LackingPod>, RegExp]>([
    ['to delete it where its workload makes it again with the proxy', {}, /its workload makes it again, injected$/],
    ['to make it again where nobody else does', { isOwned: false }, /delete .*, and make it again: nothing else does$/],
    ['not to delete it where that is no use', { prospect: HOSTED }, /^change its workload so that it can/],
    ['where to look where nobody can tell', { prospect: 'unknown' }, /kubectl get events -n shop$/],
  ])('says of a pod that lacks the proxy %s', (_what, changes, hint) => {
    expect(wrong(pods({ lacking: [lacking(changes)] }))[0]?.hint).toMatch(hint);
  });

  it('that injects by policy needs no injector and no webhook', () => {
    const programs = [program('operator'), program('server')];
    const installation = { ...INSTALLATION, programs };
    expect(wrong({ installation, webhooks: known(null), hasMutatingPolicy: true, injectors: [] })).toEqual([]);
  });

  it('is printed with what is wrong first, and the hint below it', () => {
    const text = printFindings(judgeInstallation({ ...well, lease: known(null) }));
    expect(text).toMatch(/^error {4}lease -n tollgate-system: no operator has ever led\n {9}kubectl logs/);
    expect(text).toMatch(/\n1 error, 0 warnings\n$/);
  });
});
