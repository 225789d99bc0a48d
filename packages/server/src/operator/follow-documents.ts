/**
 * Takes over what the operator told, whichever server it told it to: looks several times a second whether a version
 * changed, which costs one row, and reads what did. A database that is away is asked again; what is in force stays.
 */
import type { Logger, Timers } from '@tollgate/runtime';
import { OPERATOR_DOCUMENTS, type OperatorDocument, type OperatorDocumentName, type Store } from '@tollgate/store';

export interface FollowDocumentsDeps {
  readonly store: Pick<Store, 'documentVersions' | 'readDocument'>;
  /** Puts it in force; false: it cannot be read by this version of the program. Throws where it may be tried again. */
  readonly take: (told: OperatorDocument) => Promise<boolean>;
  /** Monotonic or not: only differences count. Milliseconds. */
  readonly clock: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
}

export interface FollowedDocuments {
  /** Looks now. Once it resolves, what was written before the call is in force here. */
  look(): Promise<void>;
  /** As above, for whom it is no harm to be a moment late; throws nothing. */
  glance(): Promise<void>;
  /** Null: nothing yet. */
  version(name: OperatorDocumentName): string | null;
  /** Looks on and on, from now. */
  start(): void;
  stop(): void;
}

const EVERY_MS = 400;
/** Many pods that start at once ask for one look. */
const GLANCE_MS = 100;

export const followDocuments = ({ store, take, clock, timers, logger }: FollowDocumentsDeps): FollowedDocuments => {
  const inForce = new Map<OperatorDocumentName, string>();
  /** Of a version that cannot be read: not tried again. */
  const refused = new Map<OperatorDocumentName, string>();
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let lookedAt = -Infinity;
  let cancel: () => void = () => undefined;
  let isStopped = false;
  let isAway = false;

  const once = async (): Promise<void> => {
    const versions = await store.documentVersions();
    for (const name of OPERATOR_DOCUMENTS) {
      const version = versions.get(name);
      if (version === undefined || version === inForce.get(name) || version === refused.get(name)) continue;
      const found = await store.readDocument(name);
      if (found === null) continue;
      if (await take(found)) {
        inForce.set(name, found.version);
        logger.info({ kind: name, version: found.version }, 'told by the operator, and in force');
      } else {
        refused.set(name, found.version);
        logger.error(
          { kind: name, version: found.version },
          'what the operator told cannot be read: is it of a later version?',
        );
      }
    }
    lookedAt = clock();
  };

  /** One at a time; who asks while one runs gets the one after it. */
  const look = (): Promise<void> => {
    if (running === null) {
      running = once().finally(() => {
        running = null;
      });
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        return look();
      });
    return next;
  };

  const tick = async (): Promise<void> => {
    try {
      await look();
      if (isAway) logger.info({}, 'what the operator tells can be read again');
      isAway = false;
    } catch (err) {
      if (!isAway) logger.warn({ err }, 'what the operator tells cannot be read: what is in force stays');
      isAway = true;
    }
    // Else a look that was under way at the stop would go on for ever.
    if (!isStopped) cancel = timers.after(EVERY_MS, () => void tick());
  };

  return {
    look,
    glance: async () => {
      if (running === null && clock() - lookedAt < GLANCE_MS) return;
      await (running ?? look()).catch(() => undefined);
    },
    version: (name) => inForce.get(name) ?? null,
    start: () => {
      cancel = timers.after(EVERY_MS, () => void tick());
    },
    stop: () => {
      isStopped = true;
      cancel();
    },
  };
};
