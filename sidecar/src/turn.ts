/**
 * The end of one turn of the event loop: what a turn sends is sent there together. A busy proxy reads many requests and
 * answers in one turn; sent one by one between the reads, each wakes its reader by itself, which costs the system more than
 * the sending.
 */
export interface Turn {
  /** Runs it at the end of the turn at hand, in the order of asking. It must not throw. */
  atEnd(act: () => void): void;
}

/** `defer` runs something once what lies ready was read: `setImmediate`. */
export const makeTurn = (defer: (act: () => void) => void): Turn => {
  let acts: (() => void)[] = [];
  const end = (): void => {
    const now = acts;
    acts = [];
    for (const act of now) act();
  };
  return {
    atEnd(act) {
      if (acts.push(act) === 1) defer(end);
    },
  };
};
