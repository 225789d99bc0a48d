/**
 * Whose call it is, at a gateway: by the token that the caller shows, as the server reviews it. The caller's policy is what
 * the stages after it go by. After `identify`, since the "no" has the shape of the provider that the path names; before
 * `pass` and `read`, since nothing is forwarded and no body is read for a stranger.
 */
import type { CallerFault } from '@tollgate/ledger';
import { HOW_TO_CALL, shownToken } from '../callers/caller-token.ts';
import type { CallerPolicies, CallerPolicy } from '../callers/caller-policies.ts';
import type { Verdict, Verdicts } from '../callers/verdicts.ts';
import { refuse } from '../refusal.ts';
import type { Exchange, Outcome, Stage } from '../exchange.ts';

export interface WhoseDeps {
  readonly verdicts: Verdicts<CallerPolicy>;
  readonly policies: Pick<CallerPolicies, 'of'>;
}

export const whose = ({ verdicts, policies }: WhoseDeps): Stage => {
  const take = (exchange: Exchange, verdict: Verdict<CallerPolicy>): Outcome => {
    switch (verdict.verdict) {
      case 'accepted':
        if (!verdict.value.isOpen()) verdict.value = policies.of(verdict.caller);
        exchange.callerPolicy = verdict.value;
        return undefined;
      case 'refused':
        return refuse('unauthenticated', `${FAULTS[verdict.fault]}: ${HOW_TO_CALL}`);
      case 'unavailable':
        return refuse(
          'token_review_unavailable',
          "the caller's token cannot be reviewed now, and was not seen before; the call was not sent",
        );
      default:
        return verdict satisfies never;
    }
  };
  return function whose(exchange) {
    const { headers, url = '' } = exchange.req;
    const shown = shownToken(headers, url);
    if (!shown.ok) return refuse('unauthenticated', shown.message);
    const verdict = verdicts.of(shown.token);
    if (!(verdict instanceof Promise)) return take(exchange, verdict);
    // Who left meanwhile sends no body that could be waited for.
    return verdict.then((late) => (exchange.callerGone ? 'answered' : take(exchange, late)));
  };
};

const FAULTS: Readonly<Record<CallerFault, string>> = {
  expired: 'the ServiceAccount token has expired',
  audience: 'the ServiceAccount token was made for another audience',
  invalid: 'the token is not valid in this cluster',
};
