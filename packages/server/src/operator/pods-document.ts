/** The pods that carry the proxy as it was injected, as the operator sends them: whole, or not at all. */
import { pathText, type Fault } from '@tollgate/api';
import { z } from 'zod';
import { labelsFaults } from './cluster-names.ts';
import { canonicalJson } from './canonical-json.ts';
import type { InjectedPod } from './pod-directory.ts';
import { versionOf, type DocumentReading } from './resources-document.ts';

const Name = z.string().min(1).max(253);

/** Fields that are not known here are left out: an operator of a later version may say more of a pod. */
const Pod = z.object({
  uid: z.string().regex(/^[\x21-\x7e]{1,128}$/, { error: 'must be the UID of a pod' }),
  namespace: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, { error: 'must be the name of a namespace' }),
  name: Name,
  workload: Name,
  workloadKind: z.string().min(1).max(63).nullish(),
  serviceAccount: Name.nullish(),
  labels: z.unknown(),
  team: z.string().min(1).max(253),
  configHash: z.string().max(256).nullish(),
});
const Pods = z.strictObject({ pods: z.array(z.unknown()) });

export const readPods = (value: unknown): DocumentReading<readonly InjectedPod[]> => {
  const whole = Pods.safeParse(value);
  if (!whole.success)
    return { ok: false, faults: whole.error.issues.map((issue) => faultOf(issue.path, issue.message)) };
  const faults: Fault[] = [];
  const pods = new Map<string, InjectedPod>();
  whole.data.pods.forEach((entry, index) => {
    const parsed = Pod.safeParse(entry);
    if (!parsed.success) {
      faults.push(...parsed.error.issues.map((issue) => faultOf(['pods', index, ...issue.path], issue.message)));
      return;
    }
    const { uid, namespace, name, workload, workloadKind, serviceAccount, labels = {}, team, configHash } = parsed.data;
    faults.push(...labelsFaults(labels, `pods[${String(index)}].labels`));
    if (pods.has(uid)) faults.push(faultOf(['pods', index, 'uid'], 'is in the list twice'));
    pods.set(uid, {
      uid,
      subject: {
        namespace,
        workload,
        ...(workloadKind ? { workloadKind } : {}),
        serviceAccount: serviceAccount ?? 'default',
        pod: name,
        labels: labels as Readonly<Record<string, string>>,
        team,
      },
      configHash: configHash ?? null,
    });
  });
  if (faults.length > 0) return { ok: false, faults };
  const content = [...pods.values()].sort((a, b) => (a.uid < b.uid ? -1 : 1));
  const text = canonicalJson({
    pods: content.map(({ uid, subject: { pod, ...subject }, configHash }) => ({
      uid,
      name: pod,
      ...subject,
      configHash,
    })),
  });
  return { ok: true, content, version: versionOf(text), text };
};

const faultOf = (path: readonly PropertyKey[], message: string): Fault => ({ path: pathText(path), message });
