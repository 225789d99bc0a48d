/** Which manifests a server's refusal names: they are left out, so that one of them does not keep the others waiting. */
import { manifestKey, type ManifestKind } from './admitted-manifest.ts';
import type { ServerResources } from './server-client.ts';
import { ServerFault } from './server-fault.ts';

export interface RefusedManifest {
  /** `TokenBudget team-a/chat` */
  readonly title: string;
  readonly generation: number;
  readonly message: string;
}

const KIND_OF = {
  budgets: 'TokenBudget',
  routes: 'ModelRoute',
  inferenceServices: 'LLMInferenceService',
} as const satisfies Readonly<Record<string, ManifestKind>>;

export const refusedManifests = (error: unknown, resources: ServerResources): readonly RefusedManifest[] => {
  if (!(error instanceof ServerFault) || error.status !== 422) return [];
  const refused = new Map<string, RefusedManifest>();
  for (const { path, message } of error.faults) {
    const [, list, index, rest = ''] = /^(budgets|routes|inferenceServices)\[(\d+)\]\.?(.*)$/s.exec(path) ?? [];
    if (list !== 'budgets' && list !== 'routes' && list !== 'inferenceServices') continue;
    const metadata = resources[list][Number(index)]?.metadata;
    if (metadata === undefined) continue;
    const title = manifestKey(KIND_OF[list], metadata);
    const said = `${rest === '' ? '' : `${rest}: `}${message}`;
    const former = refused.get(title)?.message;
    refused.set(title, {
      title,
      generation: metadata.generation ?? 0,
      message: former === undefined ? `the server does not take it: ${said}` : `${former}; ${said}`,
    });
  }
  return [...refused.values()];
};
