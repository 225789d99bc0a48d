/** Writes the status of objects by server-side apply, and only where it differs. */
import { isDeepStrictEqual } from 'node:util';
import type { KubeApi } from './kube-api.ts';
import { isNotFound, KubeFault } from './kube-fault.ts';
import type { KubeKind, KubeObject } from './kube-object.ts';
import type { KubeMetrics } from './metrics.ts';

export interface StatusWriter {
  /**
   * `status` is the whole of what this writer says; fields it said before and no longer says go, fields of others stay.
   *
   * @param object as a cache has it: its own `status` is what the new one is compared with, its uid a precondition.
   * @returns `gone` where the object is no more, or its name is another object's by now.
   * @throws KubeFault
   */
  write(
    kind: KubeKind,
    object: KubeObject & { readonly status?: unknown },
    status: object,
    options?: { readonly signal?: AbortSignal },
  ): Promise<StatusOutcome>;
}

export type StatusOutcome = 'written' | 'unchanged' | 'gone';

export interface StatusWriterOptions {
  readonly api: Pick<KubeApi, 'apply'>;
  /** One per controller: it owns the fields that it writes. */
  readonly fieldManager: string;
  readonly metrics: Pick<KubeMetrics, 'add'>;
}

export const makeStatusWriter = ({ api, fieldManager, metrics }: StatusWriterOptions): StatusWriter => {
  /**
   * What was written upon a version that the cache still has: until the watch has told of it, that version's own status is
   * no longer what stands there.
   */
  const written = new WeakMap<KubeObject, unknown>();

  const write = async (
    ...[kind, object, status, options]: Parameters<StatusWriter['write']>
  ): Promise<StatusOutcome> => {
    // As the server will have it: without what is undefined.
    const wanted: unknown = JSON.parse(JSON.stringify(status));
    const stands = written.has(object) ? written.get(object) : object.status;
    if (isDeepStrictEqual(stands, wanted)) return 'unchanged';
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const metadata = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    };
    try {
      const after = await api.apply<KubeObject & { readonly status?: unknown }>(
        kind,
        { metadata, status: wanted },
        { ...options, fieldManager, force: true, subresource: 'status' },
      );
      // Of custom kinds the server does not check the uid here: what it took belongs to the object that stands there now,
      // whose own reconcile puts it right.
      if (uid !== undefined && after.metadata.uid !== uid) return 'gone';
      written.set(object, wanted);
      return after.metadata.resourceVersion === resourceVersion ? 'unchanged' : 'written';
    } catch (error) {
      if (isNotFound(error) || isOtherUid(error)) return 'gone';
      throw error;
    }
  };

  return {
    write: async (kind, object, status, options) => {
      let outcome: StatusOutcome | 'failed' = 'failed';
      try {
        outcome = await write(kind, object, status, options);
        return outcome;
      } finally {
        metrics.add('tollgate_kube_status_writes_total', { kind: kind.kind, outcome });
      }
    },
  };
};

/**
 * The name is another object's by now: 409 (`Precondition failed: UID in precondition`) or 422 (`metadata.uid: field is
 * immutable`), by kind and subresource, as tried on 1.34. A 409 that does not speak of the uid is a storm of writes.
 */
const isOtherUid = (error: unknown): boolean =>
  error instanceof KubeFault && (error.status === 409 || error.status === 422) && /\buid\b/i.test(error.message);
