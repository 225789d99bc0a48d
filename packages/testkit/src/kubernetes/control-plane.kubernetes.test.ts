import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startControlPlane, type ControlPlane } from './control-plane.ts';

const budget = (limit: object): object => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'TokenBudget',
  metadata: { name: 'team', namespace: 'default' },
  spec: { limits: [limit] },
});

describe('an API server with a controller manager and our kinds', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane({ controllerManager: true, crds: true });
  }, 180_000);
  afterAll(() => plane.stop());

  it('is asked by the administrator with a certificate and with a token, and by nobody else', async () => {
    const path = '/api/v1/namespaces/kube-system';
    expect((await plane.request(path)).status).toBe(200);
    expect((await plane.request(path, { token: plane.adminToken })).status).toBe(200);
    expect((await plane.request(path, { token: 'made-up' })).status).toBe(401);
  });

  it('serves our kinds, whose rules it applies', async () => {
    const path = '/apis/tollgate.dev/v1alpha1/namespaces/default/tokenbudgets';
    const refused = await plane.request(path, { method: 'POST', body: budget({ name: 'none', period: 'Month' }) });
    expect(refused).toMatchObject({ status: 422, body: { message: expect.stringContaining('exactly one of') } });
    const taken = await plane.request(path, {
      method: 'POST',
      body: budget({ name: 'monthly', period: 'Month', cost: { max: '5.00', currency: 'USD' } }),
    });
    expect(taken.status).toBe(201);
    expect(await plane.kubectl(['get', 'tokenbudgets', '-o', 'name'])).toBe('tokenbudget.tollgate.dev/team\n');
  });

  it('makes the pods of a Deployment, with the ServiceAccount that they need', async () => {
    await plane.kubectl(['create', 'deployment', 'web', '--image=web:1', '--replicas=2']);
    await plane.kubectl(['wait', '--for=jsonpath={.status.replicas}=2', 'deployment/web', '--timeout=60s']);
    const pods = JSON.parse(await plane.kubectl(['get', 'pods', '-l', 'app=web', '-o', 'json'])) as {
      readonly items: readonly { readonly spec: { readonly serviceAccountName: string } }[];
    };
    expect(pods.items.map(({ spec }) => spec.serviceAccountName)).toEqual(['default', 'default']);
  });

  it('gives a token bound to a pod, and says whose it is when it is reviewed for that audience', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'one' },
      spec: { containers: [{ name: 'a', image: 'a:1' }] },
    };
    const made = await plane.request('/api/v1/namespaces/default/pods', { method: 'POST', body: pod });
    const { uid } = (made.body as { readonly metadata: { readonly uid: string } }).metadata;
    const token = await plane.tokenOf({
      namespace: 'default',
      serviceAccount: 'default',
      audiences: ['tollgate'],
      pod: { name: 'one', uid },
    });
    const review = async (audience: string): Promise<unknown> => {
      const { body } = await plane.request('/apis/authentication.k8s.io/v1/tokenreviews', {
        method: 'POST',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [audience] },
        },
      });
      return (body as { readonly status: unknown }).status;
    };
    expect(await review('tollgate')).toMatchObject({
      authenticated: true,
      audiences: ['tollgate'],
      user: {
        username: 'system:serviceaccount:default:default',
        extra: { 'authentication.kubernetes.io/pod-uid': [uid] },
      },
    });
    expect(await review('another')).not.toHaveProperty('authenticated', true);
  });

  it('lets somebody else do what RBAC gives them, and no more', async () => {
    const kubeconfig = await plane.kubeconfigOf({ commonName: 'jane', groups: ['team-a'] });
    const asJane = (verb: string): Promise<string> =>
      plane.kubectl(['--kubeconfig', kubeconfig, 'auth', 'can-i', verb, 'pods']);
    await expect(asJane('list')).rejects.toThrow();
    await plane.kubectl(['create', 'rolebinding', 'viewers', '--clusterrole=view', '--group=team-a']);
    expect(await asJane('list')).toBe('yes\n');
    await expect(asJane('delete')).rejects.toThrow();
  });

  it('keeps what it was told when the API server is killed and started again', async () => {
    await plane.kubectl(['create', 'configmap', 'kept']);
    await plane.killApiServer();
    await expect(plane.request('/readyz')).rejects.toThrow();
    await plane.startApiServer();
    expect(await plane.kubectl(['get', 'configmap', 'kept', '-o', 'name'])).toBe('configmap/kept\n');
  });
});

describe('an API server by itself', () => {
  it('stands beside another, takes pods without an account, serves what was switched on, and leaves nothing', async () => {
    const planes = await Promise.all([
      startControlPlane({
        featureGates: ['MutatingAdmissionPolicy=true'],
        runtimeConfig: ['admissionregistration.k8s.io/v1beta1=true'],
      }),
      startControlPlane(),
    ]);
    const [first, second] = planes;
    const policies = '/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies';
    expect([(await first.request(policies)).status, (await second.request(policies)).status]).toEqual([200, 404]);
    await second.kubectl(['run', 'alone', '--image=a:1']);
    expect(await first.kubectl(['get', 'pods', '-o', 'name'])).toBe('');
    expect(await second.kubectl(['get', 'pods', '-o', 'name'])).toBe('pod/alone\n');

    const homes = planes.map(({ kubeconfigPath }) => dirname(kubeconfigPath));
    await Promise.all(planes.map((plane) => plane.stop()));
    expect(homes.map((home) => existsSync(home))).toEqual([false, false]);
    await expect(first.request('/readyz')).rejects.toThrow();
  }, 180_000);
});
