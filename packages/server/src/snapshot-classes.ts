/**
 * Snapshots as they travel. Proxies of one workload get the same but for their pod's name: each such class is compiled and
 * put into words once a change, and its bytes are shared by all of its streams.
 */
import type { Snapshot, Subject } from '@tollgate/api';

export interface SnapshotClasses {
  /** The same object until the next `forget`. `routesOf`: whose routes, where they are not the subject's own. */
  of(subject: Subject, routesOf?: Subject): SnapshotClass;
  /** The resources have changed. */
  forget(): void;
}

export interface SnapshotClass {
  readonly version: string;
  /** Of the budgets in it, `<namespace>/<name>`. */
  readonly budgets: readonly string[];
  /** The line but for its end, which names the subject. Made when it is first asked for. */
  bytes(): Buffer;
}

export type SnapshotFor = (subject: Subject, routesOf?: Subject) => Snapshot;

export const makeSnapshotClasses = (snapshotFor: SnapshotFor): SnapshotClasses => {
  const classes = new Map<string, SnapshotClass>();
  return {
    of: (subject, routesOf) => {
      const common = withoutPod(subject);
      const key = keyOf(common) + (routesOf === undefined ? '' : keyOf(routesOf));
      const known = classes.get(key);
      if (known) return known;
      const { subject: _subject, ...rest } =
        routesOf === undefined ? snapshotFor(common) : snapshotFor(common, withoutPod(routesOf));
      let bytes: Buffer | undefined;
      const made: SnapshotClass = {
        version: rest.version,
        budgets: rest.budgets.map(({ namespace, name }) => `${namespace}/${name}`),
        bytes: () => (bytes ??= Buffer.from(`${JSON.stringify(rest).slice(0, -1)},"subject":`)),
      };
      classes.set(key, made);
      return made;
    },
    forget: () => {
      classes.clear();
    },
  };
};

/** What follows a class's bytes on the stream of one subject. */
export const lineEnd = (subject: Subject): string => `${JSON.stringify(subject)}}\n`;

const withoutPod = ({ pod: _pod, ...subject }: Subject): Subject => subject;

const keyOf = ({ namespace, workload, workloadKind, serviceAccount, labels, team }: Subject): string =>
  JSON.stringify([
    namespace,
    workload,
    workloadKind,
    serviceAccount,
    team,
    Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
