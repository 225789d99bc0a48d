/** From an `Authorization` header to who is asking; what was found out about a token holds until the token's end. */
import { createHash } from 'node:crypto';
import type { TokenReview, TokenReviewer } from './token-review.ts';

export type Authenticate = (authorization: string | undefined) => Promise<TokenReview>;

export interface AuthenticateDeps {
  readonly review: TokenReviewer;
  /** Milliseconds UTC. */
  readonly clock: () => number;
  readonly mostRemembered?: number;
  /** For the count; not called for what was remembered and still held. */
  readonly onReviewed?: (outcome: ReviewOutcome) => void;
}

/** `unasked`: nobody could be asked, and what was said before still holds. */
export type ReviewOutcome = 'accepted' | 'refused' | 'unavailable' | 'unasked';

const ASK_AGAIN_MS = 5_000;

type Accepted = Extract<TokenReview, { ok: true }>;

/** Larger than any token of Kubernetes; headers end at 16 KiB anyway. */
const BEARER = /^Bearer ([\x21-\x7e]{1,8192})$/;

/**
 * Remembered by the SHA-256 of the whole token, never by a part of it, so that two tokens with an equal beginning stay
 * two. Only what was accepted is remembered: strangers fill no memory.
 */
export const makeAuthenticate = ({
  review,
  clock,
  mostRemembered = 10_000,
  onReviewed,
}: AuthenticateDeps): Authenticate => {
  const remembered = new Map<string, Accepted>();
  return async (authorization) => {
    const token = BEARER.exec(authorization ?? '')?.[1] ?? '';
    // Also of nothing: what is sent decides little about how much work it makes.
    const key = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(key);
    if (known && (known.validUntil ?? 0) > clock()) return known;
    if (token === '') {
      await review('-');
      return { ok: false, reason: authorization === undefined ? 'missing' : 'malformed' };
    }
    const answer = await review(token);
    const unasked = known?.holdsUnasked ?? 0;
    if (known && !answer.ok && answer.reason === 'unavailable' && unasked > clock()) {
      // Not every request is to wait for one who does not answer.
      remembered.set(key, { ...known, validUntil: Math.min(unasked, clock() + ASK_AGAIN_MS) });
      onReviewed?.('unasked');
      return known;
    }
    remembered.delete(key);
    onReviewed?.(answer.ok ? 'accepted' : answer.reason === 'unavailable' ? 'unavailable' : 'refused');
    if (answer.ok && answer.validUntil !== null) {
      // Of many, the one that came first goes: it is the nearest to its end.
      const [oldest] = remembered.size >= mostRemembered ? remembered.keys() : [];
      if (oldest !== undefined) remembered.delete(oldest);
      remembered.set(key, answer);
    }
    return answer;
  };
};
