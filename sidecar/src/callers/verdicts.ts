/**
 * What the server said of callers' tokens, by the SHA-256 of each: asked once for a while, also for many calls at once. An
 * answer holds a minute, longer only while nobody can be asked, and never beyond the token's end. Refused tokens are
 * remembered apart and shortly, so that strangers drive out nobody who is known.
 */
import type { CallerFault, CallerName, CallerReview } from '@tollgate/ledger';

export type Verdict<T> =
  | Accepted<T>
  | { readonly verdict: 'refused'; readonly fault: CallerFault }
  /** Nobody can be asked, and nothing is known. */
  | { readonly verdict: 'unavailable' };

export interface Accepted<T> {
  readonly verdict: 'accepted';
  readonly caller: CallerName;
  /** Kept with the verdict, so that a call of a known token looks up nothing else. */
  value: T;
}

export interface Verdicts<T> {
  of(token: string): Verdict<T> | Promise<Verdict<T>>;
}

/** `unasked`: nobody could be asked, and what was said before still holds. */
export type VerdictOutcome = 'accepted' | 'refused' | 'unavailable' | 'unasked';

export interface VerdictsDeps<T> {
  /** Rejects where nobody can be asked. */
  readonly ask: (token: string) => Promise<CallerReview>;
  readonly accept: (caller: CallerName) => T;
  /** Of two tokens never the same. */
  readonly hash: (token: string) => string;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly onOutcome: (outcome: VerdictOutcome, fault?: unknown) => void;
  readonly mostKnown?: number;
  readonly mostRefused?: number;
  readonly mostAsked?: number;
}

/** Milliseconds. A pod that is gone is nobody's caller a minute later. */
const ACCEPTED_MS = 60_000;
const REFUSED_MS = 5_000;
/** Not every call is to wait for a server that does not answer. */
const ASK_AGAIN_MS = 5_000;

interface Known<T> extends Accepted<T> {
  /** To be asked anew from then on. */
  until: number;
  readonly end: number;
}

interface Refused {
  readonly verdict: 'refused';
  readonly fault: CallerFault;
  readonly until: number;
}

const UNAVAILABLE = { verdict: 'unavailable' } as const;

export const makeVerdicts = <T>({
  ask,
  accept,
  hash,
  clock,
  onOutcome,
  mostKnown = 10_000,
  mostRefused = 1_000,
  mostAsked = 256,
}: VerdictsDeps<T>): Verdicts<T> => {
  const accepted = new Map<string, Known<T>>();
  const refused = new Map<string, Refused>();
  const underWay = new Map<string, Promise<Verdict<T>>>();

  const remember = <V>(memory: Map<string, V>, most: number, key: string, value: V): V => {
    // Set anew it is the youngest; of too many the oldest goes.
    memory.delete(key);
    if (memory.size >= most) memory.delete(memory.keys().next().value ?? '');
    memory.set(key, value);
    return value;
  };

  const take = (key: string, review: CallerReview): Verdict<T> => {
    const now = clock();
    if (!review.accepted) {
      accepted.delete(key);
      onOutcome('refused');
      return remember(refused, mostRefused, key, {
        verdict: 'refused',
        fault: review.fault,
        until: now + REFUSED_MS,
      });
    }
    const { caller, validMs, unaskedMs } = review;
    refused.delete(key);
    onOutcome('accepted');
    return remember(accepted, mostKnown, key, {
      verdict: 'accepted',
      caller,
      value: accept(caller),
      until: now + Math.min(validMs, ACCEPTED_MS),
      end: now + unaskedMs,
    });
  };

  const withoutAnswer = (key: string, fault?: unknown): Verdict<T> => {
    const now = clock();
    const known = accepted.get(key);
    if (known === undefined || known.end <= now) {
      onOutcome('unavailable', fault);
      return UNAVAILABLE;
    }
    known.until = Math.min(known.end, now + ASK_AGAIN_MS);
    onOutcome('unasked', fault);
    return known;
  };

  return {
    of(token) {
      const key = hash(token);
      const known = accepted.get(key);
      if (known !== undefined && known.until > clock()) return known;
      const no = refused.get(key);
      if (no !== undefined && no.until > clock()) return no;
      const asked = underWay.get(key);
      if (asked !== undefined) return asked;
      if (underWay.size >= mostAsked) return withoutAnswer(key);
      const answer = ask(token)
        .then(
          (review) => take(key, review),
          (fault: unknown) => withoutAnswer(key, fault),
        )
        .finally(() => underWay.delete(key));
      underWay.set(key, answer);
      return answer;
    },
  };
};
