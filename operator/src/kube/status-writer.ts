/** Writes the status of objects by server-side apply, and only where it differs. */
import type { KubeKind, KubeObject } from './kube-object.ts';

export interface StatusWriter {
  /**
   * `status` is the whole of what this writer says; fields it said before and no longer says go, fields of others stay.
   *
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
