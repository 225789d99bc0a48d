/** Kubernetes Events (events.k8s.io/v1) on objects, for `kubectl describe` and `kubectl events`. */
import type { KubeObject } from './kube-object.ts';

export interface EventRecorder {
  /**
   * Never throws and never waits: sent in the background, an event again within six minutes becomes a series with a count,
   * and what exceeds the rate is dropped and counted.
   */
  record(event: EventNote): void;
  /** Sends what waits, for at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface EventNote {
  /** With its `apiVersion` and `kind`, which objects of a list do not carry. */
  readonly regarding: KubeObject & { readonly apiVersion: string; readonly kind: string };
  readonly type: 'Normal' | 'Warning';
  /** Why, in PascalCase: `BudgetExceeded`. One of few constants. */
  readonly reason: string;
  /** What was done or failed, in PascalCase: `Reconcile`, `Inject`. One of few constants. */
  readonly action: string;
  /** For humans; cut after 1,024 bytes. */
  readonly note: string;
}
