/** What `helm test` asks: is the server there, and is a pod that opts in injected? Ends with 1 and the reason where not. */
import { makeKubeApi } from './kube-api.mjs';

const { SERVER_URL, CANARY_NAMESPACE, CANARY_IMAGE, KUBERNETES_URL, TOKEN_FILE } = process.env;

const checkServer = async () => {
  const response = await fetch(`${SERVER_URL}/healthz`, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`the server answers ${String(response.status)}: look at its log`);
  return 'the server answers, and has its database';
};

/** A dry run: the pod goes through admission and is not kept. */
const checkInjection = async () => {
  const { answer } = await makeKubeApi({ url: KUBERNETES_URL, tokenFile: TOKEN_FILE }).ask(
    'POST',
    `/api/v1/namespaces/${CANARY_NAMESPACE}/pods?dryRun=All`,
    {
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'tollgate-canary', annotations: { 'tollgate.dev/inject': 'true' } },
        spec: {
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'app',
              image: CANARY_IMAGE,
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  );
  const proxy = answer.spec.initContainers?.find(({ name }) => name === 'tollgate-proxy');
  if (proxy?.restartPolicy !== 'Always') throw new Error('a pod that opts in came back without the proxy');
  const env = answer.spec.containers.find(({ name }) => name === 'app').env ?? [];
  const baseUrl = env.find(({ name }) => name === 'OPENAI_BASE_URL')?.value;
  if (baseUrl === undefined) throw new Error('the proxy is there, but OPENAI_BASE_URL does not lead to it');
  return `a pod that opts in gets ${proxy.image}, and calls ${baseUrl}`;
};

let failed = false;
for (const check of [checkServer, checkInjection]) {
  try {
    console.log(`ok    ${await check()}`);
  } catch (error) {
    failed = true;
    console.log(`FAILED ${error instanceof Error ? error.message : String(error)}`);
  }
}
process.exitCode = failed ? 1 : 0;
