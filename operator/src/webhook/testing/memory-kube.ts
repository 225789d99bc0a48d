/** The few objects that certificates are kept in, as an API server would keep them: versions count, conflicts are 409. */
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeFault } from '../../kube/kube-fault.ts';
import { keyOf, type KubeKind, type KubeObject, type ObjectName } from '../../kube/kube-object.ts';
import type { Secret, WebhookConfiguration } from '../certificates/certificate-store.ts';

export interface MemoryKube {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'replace' | 'apply'>;
  secret(name: string): Secret | null;
  configuration(name: string): WebhookConfiguration | null;
  put(kind: string, object: KubeObject): void;
  remove(kind: string, name: string): void;
  /** While it is set, every call fails with it. */
  fault: KubeFault | null;
  readonly writes: readonly string[];
}

export const makeMemoryKube = (): MemoryKube => {
  const objects = new Map<string, KubeObject>();
  const writes: string[] = [];
  let versions = 0;
  const id = (kind: string, name: ObjectName): string => `${kind} ${keyOf(name)}`;
  const keep = <T extends KubeObject>(kind: string, object: T, verb: string): T => {
    versions += 1;
    const kept = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? `uid-${versions}`,
        resourceVersion: String(versions),
      },
    };
    objects.set(id(kind, object.metadata), kept);
    writes.push(`${verb} ${id(kind, object.metadata)}`);
    return kept;
  };
  const find = (kind: string, name: string): KubeObject | undefined =>
    [...objects].find(([key]) => key.startsWith(`${kind} `) && key.endsWith(name))?.[1];
  const conflict = (what: string): KubeFault => new KubeFault({ status: 409, reason: 'Conflict', message: what });
  const state: { fault: KubeFault | null } = { fault: null };
  const check = (): void => {
    if (state.fault !== null) throw state.fault;
  };

  return {
    api: {
      get: async <T extends KubeObject>(kind: KubeKind, name: ObjectName) => {
        check();
        return (objects.get(id(kind.kind, name)) as T | undefined) ?? null;
      },
      create: async <T extends KubeObject>({ kind }: KubeKind, object: T) => {
        check();
        if (objects.has(id(kind, object.metadata))) throw conflict('it is there');
        return keep(kind, object, 'create');
      },
      replace: async <T extends KubeObject>({ kind }: KubeKind, object: T) => {
        check();
        if (objects.get(id(kind, object.metadata))?.metadata.resourceVersion !== object.metadata.resourceVersion) {
          throw conflict('it has changed');
        }
        return keep(kind, object, 'replace');
      },
      // Webhooks are a map by name: what is applied is laid over what is there.
      apply: async <T extends KubeObject>({ kind }: KubeKind, applied: KubeObject) => {
        check();
        const present = objects.get(id(kind, applied.metadata)) as WebhookConfiguration | undefined;
        if (present === undefined) throw conflict('it is gone');
        const named = (applied as WebhookConfiguration).webhooks ?? [];
        const webhooks = (present.webhooks ?? []).map((webhook) => ({
          ...webhook,
          ...named.find(({ name }) => name === webhook.name),
        }));
        return keep(kind, { ...present, webhooks }, 'apply') as unknown as T;
      },
    },
    secret: (name) => (find('Secret', name) as Secret | undefined) ?? null,
    configuration: (name) => (find('MutatingWebhookConfiguration', name) as WebhookConfiguration | undefined) ?? null,
    put: (kind, object) => void keep(kind, object, 'put'),
    remove: (kind, name) => {
      for (const key of objects.keys()) if (key.startsWith(`${kind} `) && key.endsWith(name)) objects.delete(key);
    },
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    writes,
  };
};
