/** A reflector of a scripted API and a fake clock, for tests. */
import { makeMetrics } from '@tollgate/runtime';
import { recordingLogger } from '@tollgate/runtime/testing';
import { makeFakeClock } from '@tollgate/testkit';
import { KubeFault } from '../kube-fault.ts';
import type { KubeKind, KubeObject } from '../kube-object.ts';
import { KUBE_METRICS } from '../metrics.ts';
import { makeReflector, type ReflectorOptions } from '../reflector.ts';
import { makeScriptedApi } from './scripted-api.ts';

export const POD: KubeKind = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
export const AWAY = new KubeFault({ status: 0, reason: 'Unreachable', message: 'watch Pod: read ECONNRESET' });
export const OLD = new KubeFault({ status: 410, reason: 'Expired', message: 'too old resource version' });

export const pod = (name: string, version: number, more: object = {}): KubeObject => ({
  metadata: { namespace: 'a', name, uid: name, resourceVersion: `${version}`, ...more },
});
export const listOf = (version: number, ...items: readonly KubeObject[]) => ({
  items,
  resourceVersion: `${version}`,
  continue: null,
});

export const setUpReflector = async (
  options: Partial<ReflectorOptions<KubeObject>> = {},
  items: readonly KubeObject[] = [],
) => {
  const clock = makeFakeClock();
  const script = makeScriptedApi();
  const log = recordingLogger();
  const metrics = makeMetrics(KUBE_METRICS, { processMetrics: false });
  script.answerAlways(() => listOf(10, ...items));
  const reflector = makeReflector<KubeObject>({
    api: script.api,
    kind: POD,
    timers: clock.timers,
    clock: clock.now,
    random: () => 0,
    log,
    metrics,
    ...options,
  });
  const names = (): readonly string[] =>
    reflector.cache.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion ?? ''}`);
  const start = async (): Promise<void> => {
    reflector.start();
    await clock.advance(0);
    script.last().feed({ type: 'OPENED' });
    await clock.advance(0);
  };
  return { clock, script, log, metrics, reflector, names, start };
};

/** Lets time pass with a bookmark every half minute, as a server that is well sends it. */
export const keepAlive = async (
  clock: ReturnType<typeof makeFakeClock>,
  script: ReturnType<typeof makeScriptedApi>,
  ms: number,
): Promise<void> => {
  for (let left = ms; left > 0; left -= 30_000) {
    script.last().feed({ type: 'BOOKMARK', resourceVersion: '60' });
    await clock.advance(Math.min(30_000, left));
  }
};
