/** A bad manifest is refused with the same words at both doors: by the API server, and where the manifest is read from a file. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseManifest } from '@tollgate/api/schema';
import { startControlPlane, type ControlPlane } from '@tollgate/testkit/kubernetes';

const LIMIT_MS = 300_000;

const manifest = (kind: string, spec: object) => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind,
  metadata: { name: 'bad', namespace: 'default' },
  spec,
});
const aBudget = (spec: object) =>
  manifest('TokenBudget', { limits: [{ name: 'daily', cost: { max: '25' }, period: 'Day' }], ...spec });
const costing = (max: string) => aBudget({ limits: [{ name: 'daily', cost: { max }, period: 'Day' }] });
const aRoute = (rule: object) =>
  manifest('ModelRoute', {
    rules: [{ name: 'all', backends: [{ name: 'one', provider: { type: 'OpenAI' } }], ...rule }],
  });
const leadingTo = (baseUrl: string) =>
  aRoute({ backends: [{ name: 'one', provider: { type: 'OpenAICompatible', baseUrl } }] });
const aService = (spec: object) => manifest('LLMInferenceService', { model: { uri: 'hf://meta/llama' }, ...spec });

const DOLLARS = 'must be US dollars as plain decimal digits with at most nine decimals, such as "25" or "0.05"';
const ADDRESS = 'must be an https:// or http:// address without user, password, query or fragment';

describe('a bad manifest', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane({ crds: true });
  }, LIMIT_MS);
  afterAll(() => plane.stop(), LIMIT_MS);

  const answer = (object: object): Promise<string> =>
    plane
      .kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(object))
      .catch((error: unknown) => String(error));

  it.each<readonly [string, object, string, string]>([
    ['a sign before an amount', costing('$5'), 'limits[0].cost.max', DOLLARS],
    ['a comma in an amount', costing('1,50'), 'limits[0].cost.max', DOLLARS],
    ['an exponent', costing('1e3'), 'limits[0].cost.max', DOLLARS],
    ['a debt', costing('-1'), 'limits[0].cost.max', DOLLARS],
    ['nothing to spend', costing('0.00'), 'limits[0].cost.max', 'must be more than 0'],
    ['more than there is', costing('9007199.254740992'), 'limits[0].cost.max', 'must be at most 9007199.254740991'],
    ['a name in capitals', aBudget({ limits: [{ name: 'Daily', requests: { max: 1 }, period: 'Day' }] }), 'limits[0].name', 'must be lower-case letters, digits and "-", such as daily'], // prettier-ignore
    ['an offset for a zone', aBudget({ timeZone: '+02:00' }), 'timeZone', 'must be an IANA time zone, such as Europe/Berlin or Etc/UTC'], // prettier-ignore
    ['a password in an address', leadingTo('https://u:p@llm.example/v1'), 'provider.baseUrl', ADDRESS],
    ['a query in an address', leadingTo('https://llm.example/v1?key=1'), 'provider.baseUrl', ADDRESS],
    ['a path for an address', leadingTo('file:///etc/passwd'), 'provider.baseUrl', ADDRESS],
    ['a metadata service', leadingTo('http://169.254.169.254/latest'), 'provider.baseUrl', 'link-local addresses, such as those of metadata services, are never called'], // prettier-ignore
    ['a time in words', aRoute({ timeouts: { request: 'soon' } }), 'timeouts.request', 'must be a duration, such as 30s, 10m or 1h30m'], // prettier-ignore
    ['no time at all', aRoute({ timeouts: { request: '0s' } }), 'timeouts.request', 'must be more than 0'],
    ['weights from nowhere', aService({ model: { uri: 'ftp://x' } }), 'model.uri', 'must be an address such as hf://'],
  ])('with %s is refused in words, at its place, and for nothing else', async (_what, bad, place, words) => {
    const said = await answer(bad);
    expect(said).toContain(`${place}: Invalid value`);
    expect(said).toContain(words);
    // One fault, not a second one that follows from the first.
    expect(said.match(/Invalid value/g)).toHaveLength(1);
    expect(said).not.toMatch(/should match|evaluating rule/);

    const parsed = parseManifest(bad);
    const faults = parsed.ok ? [] : parsed.faults;
    expect(faults).toHaveLength(1);
    expect(`spec.${faults[0]?.path ?? ''}`).toContain(place);
  });

  it.each<readonly [string, object]>([
    ['an amount to the nano-dollar', costing('0.000000001')],
    ['the largest amount', costing('9007199.254740991')],
    ['an address with a path', leadingTo('http://vllm.models.svc:8000/v1')],
    ['an address that is an address of IPv6', leadingTo('https://[2001:db8::1]:8443/v1')],
    ['an address whose path has an @', leadingTo('https://llm.example/@team/v1')],
    ['a time of hours and minutes', aRoute({ timeouts: { request: '1h30m' } })],
  ])('is none with %s', async (_what, good) => {
    expect(await answer(good)).toContain('created (server dry run)');
    expect(parseManifest(good)).toMatchObject({ ok: true });
  });
});
