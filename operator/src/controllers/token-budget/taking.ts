/**
 * A spec that was just written is about to be taken by the server. "Not programmed" would be true, and stand for as long as
 * the pace of statuses lets nothing else be written: so nothing is said for a moment.
 */
import type { BudgetWorld } from './world.ts';

export interface Taking {
  /** How long to say nothing yet, in milliseconds. */
  restMs(key: string, world: BudgetWorld): number;
  forget(key: string): void;
}

/** As long as what is written meanwhile would stand. With a thousand budgets on a busy machine it takes one or two. */
const TAKING_MS = 5_000;

export const makeTaking = (): Taking => {
  const seen = new Map<string, { readonly generation: number; readonly at: number }>();
  return {
    restMs: (key, { object, admission, view, takenGeneration, server, now }) => {
      const generation = object.metadata.generation ?? 0;
      const isOnItsWay = admission.accepted && (server === 'asked' || server === 'not asked');
      // Its figures are of a version too: those of the former one would stand beside the new spec for as long.
      const isShown = view !== null && (view.resource.metadata.generation ?? generation) === generation;
      if (!isOnItsWay || (takenGeneration === generation && isShown)) return 0;
      const before = seen.get(key);
      if (before?.generation === generation) return Math.max(0, before.at + TAKING_MS - now);
      seen.set(key, { generation, at: now });
      return TAKING_MS;
    },
    forget: (key) => void seen.delete(key),
  };
};
