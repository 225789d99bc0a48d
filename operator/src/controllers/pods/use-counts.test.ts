import { describe, expect, it } from '@jest/globals';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import { toInjectedPod } from '../../programming/injected-pod.ts';
import type { PodFinding } from '../../programming/server-views.ts';
import { NOW } from '../testing/objects.ts';
import { useCounts } from './use-counts.ts';

const HOUR = 3_600_000;
const aPod = (name: string, ageMs: number | null = 2 * HOUR): InjectedPod =>
  toInjectedPod({
    metadata: {
      name,
      namespace: 'shop',
      ...(ageMs === null ? {} : { creationTimestamp: new Date(NOW - ageMs).toISOString() }),
    },
  });
const counted = (pods: readonly InjectedPod[], found: Readonly<Record<string, Partial<PodFinding>>>) =>
  useCounts(pods, {
    findingOf: (key) => {
      const finding = found[key];
      return finding === undefined ? null : { namespace: 'shop', name: key, isSilent: false, direct: [], ...finding };
    },
    now: NOW,
    unusedAfterMs: HOUR,
  });
const OPENAI = { host: 'api.openai.com', count: 3 };

describe('pods that do not use their proxy', () => {
  it('are counted by what is found of each, and one may be both', () => {
    const pods = ['well', 'past', 'silent', 'both'].map((name) => aPod(name));
    const found = {
      'shop/past': { direct: [OPENAI, { host: 'llm.shop', count: 1 }] },
      'shop/silent': { isSilent: true },
      'shop/both': { isSilent: true, direct: [OPENAI] },
    };
    expect(counted(pods, found)).toEqual({ direct: 2, unused: 2 });
  });

  it('are none that are too young to have called, or of an age that nobody knows, or that are gone', () => {
    const found = {
      'shop/young': { isSilent: true },
      'shop/ageless': { isSilent: true },
      'shop/gone': { isSilent: true, direct: [OPENAI] },
    };
    expect(counted([aPod('young', HOUR - 1), aPod('ageless', null)], found)).toEqual({ direct: 0, unused: 0 });
    expect(counted([aPod('young', HOUR)], found)).toEqual({ direct: 0, unused: 1 });
  });
});
