/** A server whose resources, and whose pods, come from the operator: what it tells is checked, kept, and put in force. */
import type { Fault } from '@tollgate/api';
import type { Logger, Timers } from '@tollgate/runtime';
import type { OperatorDocumentName, Store } from '@tollgate/store';
import type { Resources } from '../resources/resources-in-force.ts';
import { followDocuments } from './follow-documents.ts';
import { makePodDirectory, type InjectedPod, type PodDirectory } from './pod-directory.ts';
import { readPods } from './pods-document.ts';
import { readResources } from './resources-document.ts';

export interface ToldByOperatorDeps {
  readonly store: Pick<Store, 'writeDocument' | 'documentVersions' | 'readDocument'>;
  /** Throws where these resources cannot be put in force, before anything is changed. */
  readonly check: (resources: Resources) => void;
  readonly setResources: (resources: Resources) => Promise<void>;
  /** The directory is another now. */
  readonly onPods: () => void;
  readonly onTold: (document: OperatorDocumentName, outcome: ToldOutcome) => void;
  readonly clock: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
}

export type ToldOutcome = 'written' | 'unchanged' | 'refused';

export type Told =
  { readonly ok: true; readonly version: string } | { readonly ok: false; readonly faults: readonly Fault[] };

type Reading =
  | { readonly version: string; readonly text: string; readonly act: () => Promise<void> }
  | { readonly faults: readonly Fault[] };

export interface ToldByOperator {
  /** Resolves when it is kept, and in force here. */
  tell(name: OperatorDocumentName, body: unknown, by: string): Promise<Told>;
  readonly pods: PodDirectory;
  /** Looks whether this pod was told to another server, then says whether it is known. */
  awaitPod(uid: string): Promise<boolean>;
  /** Resources were told at least once. */
  isTold(): boolean;
  version(name: OperatorDocumentName): string | null;
  /** Puts in force what was told before this server started, and follows from then on. */
  start(): Promise<void>;
  stop(): void;
}

export const makeToldByOperator = ({
  store,
  check,
  setResources,
  onPods,
  onTold,
  clock,
  timers,
  logger,
}: ToldByOperatorDeps): ToldByOperator => {
  const pods = makePodDirectory();
  /** What was read of the last telling, so that it is not read again to be put in force. */
  const lastRead = new Map<OperatorDocumentName, { readonly version: string; readonly act: () => Promise<void> }>();
  const putPods = (content: readonly InjectedPod[]): Promise<void> => {
    pods.replace(content);
    onPods();
    return Promise.resolve();
  };
  const followed = followDocuments({
    store,
    clock,
    timers,
    logger,
    take: async ({ name, version, document }) => {
      const known = lastRead.get(name);
      const reading = known?.version === version ? known : read(name, JSON.parse(document));
      if ('faults' in reading) return false;
      await reading.act();
      lastRead.delete(name);
      return true;
    },
  });

  const read = (name: OperatorDocumentName, body: unknown): Reading => {
    if (name === 'pods') {
      const reading = readPods(body);
      return reading.ok ? { ...reading, act: () => putPods(reading.content) } : reading;
    }
    const reading = readResources(body);
    if (!reading.ok) return reading;
    check(reading.content);
    return { ...reading, act: () => setResources(reading.content) };
  };

  return {
    tell: async (name, body, by) => {
      const reading = read(name, body);
      if ('faults' in reading) {
        onTold(name, 'refused');
        return { ok: false, faults: reading.faults };
      }
      const { version, text } = reading;
      lastRead.set(name, reading);
      onTold(name, await store.writeDocument({ name, version, document: text, by }, clock()));
      await followed.look();
      return { ok: true, version };
    },
    pods,
    awaitPod: async (uid) => {
      if (!pods.has(uid)) await followed.glance();
      return pods.has(uid);
    },
    isTold: () => followed.version('resources') !== null,
    version: followed.version,
    start: async () => {
      await followed.look();
      followed.start();
    },
    stop: followed.stop,
  };
};
