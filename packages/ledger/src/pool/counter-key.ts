import type { CounterName } from '../counter.ts';
import type { CounterKey } from './pool-state.ts';

/** A counter in a window as one text, and back. Names may hold any character, so it is JSON. */
export const counterKeyOf = ({ budget, limit, partition }: CounterName, windowId: string): CounterKey =>
  JSON.stringify([budget, limit, partition, windowId]);

export const parseCounterKey = (key: CounterKey): CounterName & { readonly windowId: string } => {
  const parts: unknown = JSON.parse(key);
  if (Array.isArray(parts) && parts.length === 4) {
    const [budget, limit, partition, windowId] = parts as readonly unknown[];
    if (
      typeof budget === 'string' &&
      typeof limit === 'string' &&
      typeof partition === 'string' &&
      typeof windowId === 'string'
    )
      return { budget, limit, partition, windowId };
  }
  throw new Error('not the key of a counter');
};
