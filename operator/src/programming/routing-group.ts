/** `spec.router.route.group` and `.weight`, as KServe has them: services of one group share their calls by weight. */
import type { LLMInferenceService } from '@tollgate/api';

export interface RoutingGroup {
  readonly name: string;
  /** Proportional, not a percentage; 0 takes none. */
  readonly weight: number;
}

/** Null: the service stands alone. */
export const routingGroup = ({ spec }: LLMInferenceService): RoutingGroup | null => {
  const { group, weight = 1 } = spec.router?.route ?? {};
  if (typeof group !== 'string' || group === '') return null;
  return { name: group, weight: typeof weight === 'number' && Number.isInteger(weight) && weight >= 0 ? weight : 0 };
};
