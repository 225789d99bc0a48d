/** Applies the chart's definitions over those that somebody else applied, with the marks by which Helm knows its own. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeKubeApi } from './kube-api.mjs';

const { CRDS, KUBERNETES_URL, TOKEN_FILE } = process.env;
const { ask } = makeKubeApi({ url: KUBERNETES_URL, tokenFile: TOKEN_FILE });

for (const file of (await readdir(CRDS)).filter((name) => name.endsWith('.json')).sort()) {
  const crd = JSON.parse(await readFile(join(CRDS, file), 'utf8'));
  // Helm's own name as the manager: what it changes later is its own, and not a conflict.
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}?fieldManager=helm&force=true`;
  await ask('PATCH', path, { body: crd, type: 'application/apply-patch+yaml' });
  console.log(`${crd.metadata.name} belongs to release ${crd.metadata.annotations['meta.helm.sh/release-name']} now`);
}
