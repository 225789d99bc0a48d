import type { ConnectedProxy } from '@tollgate/store';
import type { SnapshotClass } from '../snapshot-classes.ts';

/** How many live proxies a budget binds, and how many of them run what is in force. */
export interface Attachment {
  readonly pods: number;
  /** By what they said themselves: a server knows what it sent, not what was understood. */
  readonly onVersion: number;
}

/** By `<namespace>/<name>` of the budget; one that binds nobody is not in it. */
export const attachments = (
  proxies: readonly Pick<ConnectedProxy, 'subject' | 'snapshot'>[],
  classOf: (subject: ConnectedProxy['subject']) => Pick<SnapshotClass, 'version' | 'budgets'>,
): ReadonlyMap<string, Attachment> => {
  const found = new Map<string, { pods: number; onVersion: number }>();
  for (const { subject, snapshot } of proxies) {
    const { version, budgets } = classOf(subject);
    for (const budget of budgets) {
      const attachment = found.get(budget) ?? { pods: 0, onVersion: 0 };
      attachment.pods += 1;
      if (snapshot === version) attachment.onVersion += 1;
      found.set(budget, attachment);
    }
  }
  return found;
};
