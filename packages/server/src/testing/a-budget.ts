import type { TokenBudget } from '@tollgate/api';
import { TokenBudgetSchema } from '@tollgate/api/schema';

/** A budget for tests: $1 a day for namespace `default`, but for what the test says. */
export const aBudget = (
  spec: Readonly<Record<string, unknown>> = {},
  name = 'pool',
  namespace = 'default',
): TokenBudget =>
  TokenBudgetSchema.parse({
    apiVersion: 'tollgate.dev/v1alpha1',
    kind: 'TokenBudget',
    metadata: { name, namespace },
    spec: { limits: [{ name: 'daily', cost: { max: '1' }, period: 'Day' }], ...spec },
  });
