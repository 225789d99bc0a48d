/** An Event as the API server takes it. Pure. Its limits are those of events.k8s.io/v1. */
import type { KubeKind, KubeObject } from './kube-object.ts';
import { microTime } from './micro-time.ts';

export const EVENT_KIND: KubeKind = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
};

export interface KubeEvent extends KubeObject {
  readonly eventTime?: string;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly action?: string;
  readonly reason?: string;
  readonly regarding?: object;
  readonly note?: string;
  readonly type?: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

export interface EventNote {
  /** With its `apiVersion` and `kind`. Of a pod that has no name yet, give its owner. */
  readonly regarding: KubeObject & { readonly apiVersion: string; readonly kind: string };
  readonly type: 'Normal' | 'Warning';
  /** Why, in PascalCase: `BudgetExceeded`. One of few constants. */
  readonly reason: string;
  /** What was done or failed, in PascalCase: `Reconcile`, `Inject`. One of few constants. */
  readonly action: string;
  /** For humans; cut after 1,024 bytes. */
  readonly note: string;
}

const NOTE_MAX_BYTES = 1024;
const WORD_MAX = 128;
/** Names have 253 characters at most; the id and its dot need the rest. */
const NAME_MAX = 220;

/** One that is told again within six minutes is the same: what it says, of what, and why. */
export const sameness = ({ regarding: { kind, metadata }, type, reason, action, note }: EventNote): string =>
  JSON.stringify([kind, metadata.namespace, metadata.name, metadata.uid, type, reason, action, note]);

export interface EventOrigin {
  /** Who reports, a qualified name: `tollgate.dev/operator`. */
  readonly component: string;
  /** Which process of it: the pod's name. */
  readonly instance: string;
}

/** @param id makes the name unique: hexadecimal. */
export const firstEvent = (
  { regarding, type, reason, action, note }: EventNote,
  { component, instance }: EventOrigin,
  id: string,
  wallMs: number,
): KubeEvent => {
  const { name, namespace, uid, resourceVersion } = regarding.metadata;
  return {
    // Events on objects of the whole cluster live here.
    metadata: { namespace: namespace ?? 'default', name: `${name.slice(0, NAME_MAX).replace(/[.-]+$/, '')}.${id}` },
    eventTime: microTime(wallMs),
    reportingController: component,
    reportingInstance: instance.slice(0, WORD_MAX),
    action: action.slice(0, WORD_MAX),
    reason: reason.slice(0, WORD_MAX),
    regarding: {
      apiVersion: regarding.apiVersion,
      kind: regarding.kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    note: cutToBytes(note, NOTE_MAX_BYTES),
    type,
  };
};

/** What makes a series of an event that stands already. All else in it may never change. */
export const seriesOf = ({ metadata: { namespace, name } }: KubeEvent, count: number, wallMs: number): KubeEvent => ({
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  series: { count, lastObservedTime: microTime(wallMs) },
});

const ELLIPSIS = '…';

const cutToBytes = (text: string, most: number): string => {
  const bytes = Buffer.from(text);
  if (bytes.length <= most) return text;
  let end = most - Buffer.byteLength(ELLIPSIS);
  // Never within a character: its later bytes begin with the bits 10.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}${ELLIPSIS}`;
};
