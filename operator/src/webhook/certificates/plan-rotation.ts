/**
 * What is to be done next about the webhook's certificates. One step at a time, each decided anew from what is written
 * down, so that a rotator which dies between two steps is taken over from where it was. Pure.
 *
 * The API server is never shown a certificate whose authority it does not know: a new authority is published beside the
 * old one, a while later it signs the certificate that is served, and a while after that the old one is dropped.
 */
import { isIssuedBy, isValidAt, renewalOf, type CertificateFacts } from './certificate-facts.ts';

export interface RotationFacts {
  /** The authority that signs. Null: there is none, or it cannot be read. */
  readonly authority: CertificateFacts | null;
  /** The authority to come. */
  readonly next: CertificateFacts | null;
  /** When the API servers were first told of `next`, in milliseconds since 1970. */
  readonly nextPublishedAt: number | null;
  /** Authorities that signed before, and may have signed what some replica still serves. */
  readonly former: readonly CertificateFacts[];
  /** When `authority` took over from them. */
  readonly swappedAt: number | null;
  /** What is served. */
  readonly leaf: CertificateFacts | null;
  /** What each webhook of the configuration trusts; null: there is no configuration (yet). */
  readonly published: readonly (readonly CertificateFacts[])[] | null;
}

export interface RotationRules {
  /** Names and addresses of the webhook's Service. */
  readonly names: readonly string[];
  /** How long old and new stand side by side, in milliseconds. */
  readonly overlapMs: number;
}

export type RotationStep =
  /** Make an authority to come. `former`: keep trusting these meanwhile. */
  | { readonly do: 'stage'; readonly former: readonly CertificateFacts[] }
  /** Have the webhooks trust exactly these. */
  | { readonly do: 'publish'; readonly bundle: readonly CertificateFacts[] }
  /** Write down that the authority to come is published. */
  | { readonly do: 'note-published' }
  /** The authority to come signs from now on. */
  | { readonly do: 'swap' }
  | { readonly do: 'issue-leaf' }
  /** Former authorities are forgotten. */
  | { readonly do: 'retire' }
  | { readonly do: 'wait'; readonly untilMs: number };

export const planRotation = (now: number, facts: RotationFacts, rules: RotationRules): RotationStep => {
  const authority = facts.authority !== null && isValidAt(facts.authority, now) ? facts.authority : null;
  const { next } = facts;

  // 1. Somebody has to sign, now or next.
  if (next === null && (authority === null || now >= renewalOf(authority))) {
    return { do: 'stage', former: stillTrusted(now, facts, authority) };
  }
  // 2. Trust first.
  const bundle = trusted(now, authority, facts);
  if (facts.published !== null && !facts.published.every((present) => isSameSet(present, bundle))) {
    return { do: 'publish', bundle };
  }
  // 3. The authority to come takes over once it has been known for long enough, or where there is nothing to lose.
  if (next !== null) {
    if (facts.nextPublishedAt === null) {
      if (facts.published !== null) return { do: 'note-published' };
      if (authority === null) return { do: 'swap' };
    } else if (now >= facts.nextPublishedAt + rules.overlapMs) return { do: 'swap' };
    if (authority === null && !servesAny(now, facts)) return { do: 'swap' };
  }
  // 4. What is served: of this authority, for these names, not old.
  if (authority !== null && leafIsDue(now, facts.leaf, authority, rules)) return { do: 'issue-leaf' };
  // 5. By now every replica serves what the new authority signed.
  if (facts.former.length > 0 && facts.swappedAt !== null && now >= facts.swappedAt + rules.overlapMs) {
    return { do: 'retire' };
  }
  return { do: 'wait', untilMs: nextMoment(now, authority, facts, rules) };
};

/** Without an authority of our own, what the webhooks trusted so far still holds for what is served. */
const stillTrusted = (
  now: number,
  { former, published }: RotationFacts,
  authority: CertificateFacts | null,
): readonly CertificateFacts[] => {
  if (authority !== null) return former;
  const all = new Map([...former, ...(published ?? []).flat()].map((facts) => [facts.fingerprint, facts]));
  return [...all.values()].filter((facts) => isValidAt(facts, now));
};

const trusted = (
  now: number,
  authority: CertificateFacts | null,
  { next, former }: RotationFacts,
): readonly CertificateFacts[] => {
  const all = [authority, next, ...former.filter((facts) => isValidAt(facts, now))].filter((facts) => facts !== null);
  return [...new Map(all.map((facts) => [facts.fingerprint, facts])).values()];
};

/** Is there anything that works now, and would not for a moment? */
const servesAny = (now: number, { leaf, former }: RotationFacts): boolean =>
  leaf !== null && isValidAt(leaf, now) && former.some((facts) => isValidAt(facts, now) && isIssuedBy(leaf, facts));

const leafIsDue = (
  now: number,
  leaf: CertificateFacts | null,
  authority: CertificateFacts,
  { names }: RotationRules,
): boolean =>
  leaf === null ||
  now >= renewalOf(leaf) ||
  !names.every((name) => leaf.names.includes(name)) ||
  !isIssuedBy(leaf, authority);

const nextMoment = (
  now: number,
  authority: CertificateFacts | null,
  { next, nextPublishedAt, former, swappedAt, leaf }: RotationFacts,
  { overlapMs }: RotationRules,
): number => {
  const moments = [
    next === null || nextPublishedAt === null ? null : nextPublishedAt + overlapMs,
    former.length === 0 || swappedAt === null ? null : swappedAt + overlapMs,
    leaf === null ? null : renewalOf(leaf),
    authority === null || next !== null ? null : renewalOf(authority),
  ].filter((moment) => moment !== null && moment > now);
  return Math.min(...moments.filter((moment) => moment !== null), now + LONGEST_WAIT_MS);
};

/** Looked at now and then whatever the clock says: somebody may have changed something. */
const LONGEST_WAIT_MS = 60_000;

const isSameSet = (a: readonly CertificateFacts[], b: readonly CertificateFacts[]): boolean =>
  a.length === b.length && a.every(({ fingerprint }) => b.some((facts) => facts.fingerprint === fingerprint));
