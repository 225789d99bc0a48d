/** What every limit has left now, from the status of the budgets; by `namespace/budget/limit`. */
import { metaOf, resourcesFrom } from './resources.ts';

export const remainingFrom = (answer: unknown): ReadonlyMap<string, string> => {
  const left = new Map<string, string>();
  for (const resource of resourcesFrom(answer)) {
    const { namespace, name } = metaOf(resource);
    const status = 'status' in resource ? resource.status : null;
    const limits = typeof status === 'object' && status !== null && 'limits' in status ? status.limits : [];
    for (const limit of Array.isArray(limits) ? (limits as unknown[]) : []) {
      if (typeof limit !== 'object' || limit === null || !('name' in limit) || !('remaining' in limit)) continue;
      left.set(`${namespace}/${name}/${String(limit.name)}`, String(limit.remaining));
    }
  }
  return left;
};
