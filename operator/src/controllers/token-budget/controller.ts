/**
 * Observes TokenBudgets, what the server says of them and the pods that should carry the proxy.
 * Decides what is true of each budget.
 * Writes its status, at the pace of the publisher, and events at thresholds.
 */
import { TOKEN_BUDGETS } from '../../kinds.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { apiVersionOf, keyOf, nameOfKey, type KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache } from '../../kube/object-cache.ts';
import type { StatusWriter } from '../../kube/status-writer.ts';
import type { ManifestAdmission } from '../../programming/admitted-manifest.ts';
import type { Programming } from '../../programming/programming.ts';
import type { ServerWatch } from '../../programming/server-watch.ts';
import type { Reconcile } from '../../reconcile/controller.ts';
import type { BypassCounts } from '../pods/bypass-counts.ts';
import type { StatusPublisher } from '../status-publisher.ts';
import { announcementsOf, type Announced } from './announcements.ts';
import { decideBudget } from './decide.ts';
import { EVENT } from './reasons.ts';
import { makeTaking } from './taking.ts';
import type { BudgetWorld } from './world.ts';

export interface BudgetReconcilerDeps {
  readonly budgets: ObjectCache<KubeObject>;
  readonly admission: ManifestAdmission;
  readonly server: Pick<ServerWatch, 'budget' | 'fault' | 'hasAnswered'>;
  readonly programming: Pick<Programming, 'takenGeneration'>;
  readonly bypass: BypassCounts;
  readonly publisher: StatusPublisher;
  readonly writer: StatusWriter;
  readonly events: EventRecorder;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Decides, and offers what differs; nothing here waits. */
export const budgetReconciler = (deps: BudgetReconcilerDeps): Reconcile => {
  const { publisher, writer } = deps;
  const announce = makeAnnouncer(deps);
  const taking = makeTaking();
  const write = async (key: string): Promise<void> => {
    // Decided anew: between the offer and its turn figures and object may have moved.
    const world = gather(key, deps);
    if (world === null) return;
    const { status, change } = decideBudget(world);
    if (!change.any) return;
    announce(key, world);
    await writer.write(TOKEN_BUDGETS, world.object, status);
  };
  return async (key) => {
    const world = gather(key, deps);
    const offered = `${TOKEN_BUDGETS.kind} ${key}`;
    if (world === null) {
      announce.forget(key);
      taking.forget(key);
      publisher.withdraw(offered);
      return undefined;
    }
    const restMs = taking.restMs(key, world);
    if (restMs > 0) return { requeueAfterMs: restMs };
    const { change } = decideBudget(world);
    if (change.any) publisher.offer(offered, change.size, () => write(key));
    else publisher.withdraw(offered);
    return undefined;
  };
};

const gather = (key: string, deps: BudgetReconcilerDeps): BudgetWorld | null => {
  const { budgets, admission, server, programming, bypass, now } = deps;
  const object = budgets.get(nameOfKey(key));
  if (object === null) return null;
  const admitted = admission.admit('TokenBudget', object);
  return {
    object,
    admission: admitted,
    view: server.budget(keyOf(object.metadata)),
    takenGeneration: programming.takenGeneration(key),
    server: server.fault() ?? (server.hasAnswered() ? 'asked' : 'not asked'),
    pods: admitted.accepted ? bypass.of(admitted.resource) : { lacking: 0, direct: 0 },
    now: now(),
  };
};

interface Announcer {
  (key: string, world: BudgetWorld): void;
  forget(key: string): void;
}

const makeAnnouncer = ({ events }: Pick<BudgetReconcilerDeps, 'events'>): Announcer => {
  const announced = new Map<string, Announced>();
  const invalid = new Map<string, number>();
  const announce = (key: string, { object, admission, view }: BudgetWorld): void => {
    const regarding = { ...object, apiVersion: apiVersionOf(TOKEN_BUDGETS), kind: TOKEN_BUDGETS.kind };
    const generation = object.metadata.generation ?? 0;
    if (!admission.accepted) {
      if (invalid.get(key) === generation) return;
      invalid.set(key, generation);
      events.record({
        regarding,
        type: 'Warning',
        reason: EVENT.invalid,
        action: 'Validate',
        note: admission.message,
      });
      return;
    }
    invalid.delete(key);
    if (view === null) return;
    const said = announcementsOf(admission.resource, view, { announced: announced.get(key) ?? new Map(), object });
    announced.set(key, said.announced);
    for (const event of said.events) events.record({ regarding, action: 'Account', ...event });
  };
  return Object.assign(announce, {
    forget: (key: string) => {
      announced.delete(key);
      invalid.delete(key);
    },
  });
};
