import type { CallerName } from '@tollgate/ledger';
import type { ConnectedProxy } from '@tollgate/store';
import type { SnapshotClass } from '../snapshot-classes.ts';

/** How many live proxies a budget binds, and how many of them run what is in force. */
export interface Attachment {
  readonly pods: number;
  /** By what they said themselves: a server knows what it sent, not what was understood. */
  readonly onVersion: number;
  /** Gateways that have it from some caller, which are in no pod of the caller's. Absent: there is none. */
  readonly gateways?: GatewayAttachment;
}

export interface GatewayAttachment {
  readonly count: number;
  /** Of these, who run what is in force for each of the callers that they have it from. */
  readonly onVersion: number;
}

type Subject = ConnectedProxy['subject'];

export interface AttachmentsDeps {
  /** `routesOf`: whose routes, where they are not the subject's own. */
  readonly classOf: (subject: Subject, routesOf?: Subject) => Pick<SnapshotClass, 'version' | 'budgets'>;
  readonly subjectOfCaller: (caller: CallerName) => Subject;
  /** Where gateways are. */
  readonly systemNamespace: string;
}

/** By `<namespace>/<name>` of the budget; one that binds nobody is not in it. */
export const attachments = (
  proxies: readonly Pick<ConnectedProxy, 'subject' | 'snapshot' | 'callers'>[],
  { classOf, subjectOfCaller, systemNamespace }: AttachmentsDeps,
): ReadonlyMap<string, Attachment> => {
  const found = new Map<string, Attachment>();
  const add = (budget: string, more: (former: Attachment) => Attachment): void =>
    void found.set(budget, more(found.get(budget) ?? NOBODY));
  for (const { subject, snapshot, callers } of proxies) {
    // Nobody calls in a gateway's own name: what it does is by its callers' policies.
    if (callers !== null) {
      const followed = callers.map(({ caller, snapshot: runs }) => {
        const { version, budgets } = classOf(subjectOfCaller(caller), subject);
        return { budgets, isCurrent: runs === version };
      });
      for (const [budget, isCurrent] of byBudget(followed)) add(budget, (former) => withGateway(former, isCurrent));
      continue;
    }
    // Of one that has said nothing yet nobody knows whether it is a gateway.
    if (snapshot === null && subject.namespace === systemNamespace) continue;
    const { version, budgets } = classOf(subject);
    const current = snapshot === version ? 1 : 0;
    for (const budget of budgets)
      add(budget, (former) => ({ ...former, pods: former.pods + 1, onVersion: former.onVersion + current }));
  }
  return found;
};

const NOBODY: Attachment = { pods: 0, onVersion: 0 };

interface Followed {
  readonly budgets: readonly string[];
  readonly isCurrent: boolean;
}

/** A gateway that is behind for one caller of a budget enforces a former version of it. */
const byBudget = (followed: readonly Followed[]): ReadonlyMap<string, boolean> => {
  const all = new Map<string, boolean>();
  for (const { budgets, isCurrent } of followed)
    for (const budget of budgets) all.set(budget, isCurrent && (all.get(budget) ?? true));
  return all;
};

const withGateway = (former: Attachment, isCurrent: boolean): Attachment => {
  const { count, onVersion } = former.gateways ?? { count: 0, onVersion: 0 };
  return { ...former, gateways: { count: count + 1, onVersion: onVersion + (isCurrent ? 1 : 0) } };
};
