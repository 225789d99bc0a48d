import { LedgerRequestError } from './ledger-request-error.ts';
import type { BlockSource, JoinAnswer } from './block-source.ts';
import type { PoolEpochs } from './pool-epochs.ts';
import type { PoolEpoch, PoolState } from './pool-state.ts';
import { changedTooFast, MOST_TURNS } from './pool-turns.ts';

/**
 * Who may lease in an epoch: the source writes each instance down before the state lets it in, since what an instance
 * may have taken is waited for when the epoch ends.
 */
export interface Members {
  /** `enter` writes it down in another way than as a mere member. Throws a request error for who has not said hello, or has closed. */
  join(instance: string, enter?: Enter): Promise<void>;
  /** At the source first, and then in the state, from which it may lease at once. False where the epoch is over. */
  letIn(epoch: PoolEpoch, instance: string, closes: number, enter?: Enter): Promise<boolean>;
}

export type Enter = (epoch: string) => Promise<JoinAnswer>;

export interface MembersDeps {
  readonly state: Pick<PoolState, 'admit'>;
  readonly source: Pick<BlockSource, 'join'>;
  readonly epochs: PoolEpochs;
}

export const makeMembers = ({ state, source, epochs }: MembersDeps): Members => {
  /** Writes the instance down as one that may lease in this epoch; false where that is over. */
  const writeDown = async (epoch: PoolEpoch, enter: Enter): Promise<boolean> => {
    const answer = await enter(epoch.id);
    if (answer === 'joined') return true;
    if (answer === 'unknown') {
      throw new LedgerRequestError(
        'unknown_instance',
        'this instance is not registered, or has closed: say hello first',
      );
    }
    await epochs.renew(epoch);
    return false;
  };

  const letIn = async (
    epoch: PoolEpoch,
    instance: string,
    closes: number,
    enter: Enter = (id) => source.join(id, instance),
  ): Promise<boolean> => {
    if (!(await writeDown(epoch, enter))) return false;
    if ((await state.admit(epoch, instance, closes)).kind === 'epoch') await epochs.renew(epoch);
    return true;
  };

  /** The state is asked first: the source is not to wait for anybody in an epoch that is over. */
  const join = async (instance: string, enter?: Enter): Promise<void> => {
    let isWritten = enter === undefined;
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const epoch = epochs.now();
      const answer = await state.admit(epoch, instance, null);
      if (answer.kind === 'admitted') {
        if (isWritten || enter === undefined || (await writeDown(epoch, enter))) return;
      } else if (answer.kind === 'epoch') await epochs.renew(epoch);
      else isWritten = await letIn(epoch, instance, answer.closes, enter);
    }
    throw changedTooFast();
  };

  return { join, letIn };
};
