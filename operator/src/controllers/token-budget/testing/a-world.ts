/** What a budget's status is decided from: programmed, attached and well, unless the test states otherwise. */
import type { TokenBudget } from '@tollgate/api';
import { admitManifest, type Admission } from '../../../programming/admitted-manifest.ts';
import { aBudgetObject, aBudgetView, NOW } from '../../testing/objects.ts';
import type { BudgetWorld } from '../world.ts';

export const aWorld = (stated: Partial<BudgetWorld> = {}): BudgetWorld => {
  const object = stated.object ?? aBudgetObject();
  return {
    object,
    admission: admitManifest('TokenBudget', object, 'tollgate-system') as Admission<TokenBudget>,
    view: aBudgetView(),
    takenGeneration: 1,
    server: 'asked',
    pods: { lacking: 0, direct: 0 },
    now: NOW,
    ...stated,
  };
};
