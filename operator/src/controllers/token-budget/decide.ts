/** From the world to the status of one budget, and how large a change that is. Pure. */
import type { TokenBudgetStatus } from '@tollgate/api';
import { isDeepStrictEqual } from 'node:util';
import { conditionsOf } from '../conditions.ts';
import { statusFields, storedConditions } from '../stored-status.ts';
import { budgetClaims } from './claims.ts';
import type { BudgetWorld } from './world.ts';

export interface BudgetDecision {
  readonly status: TokenBudgetStatus;
  readonly change: Change;
}

/** `size` in millionths of the fullest limit, more for what is said in words; 0 is drift, which may wait. */
export type Change = { readonly any: false } | { readonly any: true; readonly size: number };

export const WORDS = 1_000_000_000;

export const decideBudget = (world: BudgetWorld): BudgetDecision => {
  const { object, view, pods, now } = world;
  const generation = object.metadata.generation ?? 0;
  const claims = budgetClaims(world);
  const conditions = conditionsOf(claims, { former: storedConditions(object), generation, now });
  const status: TokenBudgetStatus = {
    observedGeneration: generation,
    ...figuresOf(world),
    bypassingPods: pods.lacking + pods.direct,
    conditions: [...conditions],
  };
  const change = changeOf(statusFields(object), status, view === null ? 0 : fullness(view.limits));
  return { status, change };
};

/** The server's figures; while it says nothing, those that were written last stay where they are. */
const figuresOf = ({ object, admission, view }: BudgetWorld): Partial<TokenBudgetStatus> => {
  if (!admission.accepted) return {};
  if (view === null) return formerFigures(object);
  const { status } = view.resource;
  return {
    asOf: status.asOf,
    attachedPods: view.attached?.pods ?? 0,
    ...(view.unmeteredRequests === undefined ? {} : { unmeteredRequests: view.unmeteredRequests }),
    ...(status.unprovenRequests === undefined ? {} : { unprovenRequests: status.unprovenRequests }),
    summary: status.summary,
    limits: status.limits,
  };
};

const FIGURES = ['asOf', 'attachedPods', 'unmeteredRequests', 'unprovenRequests', 'summary', 'limits'] as const;

/** Written by an operator like this one; the API server checks it against the schema once more. */
const formerFigures = (object: BudgetWorld['object']): Partial<TokenBudgetStatus> => {
  const former = statusFields(object);
  return Object.fromEntries(FIGURES.flatMap((name) => (name in former ? [[name, former[name]]] : [])));
};

/** Figures of the pace move by themselves as time goes: alone they are no news. */
const changeOf = (former: Readonly<Record<string, unknown>>, next: TokenBudgetStatus, full: number): Change => {
  if (isDeepStrictEqual(comparable(former), comparable(next))) return { any: false };
  if (isDeepStrictEqual(said(former), said(next))) {
    if (isDeepStrictEqual(withoutPace(former), withoutPace(next))) return { any: true, size: 0 };
    return { any: true, size: Math.max(1, Math.abs(full - formerFullness(former))) };
  }
  return { any: true, size: WORDS };
};

const comparable = (status: object): unknown => ({ ...plain(status), asOf: null });

const said = (status: object): unknown => {
  const { conditions, observedGeneration } = plain(status);
  return { conditions, observedGeneration };
};

const withoutPace = (status: object): unknown => {
  const { summary, limits, ...rest } = plain(status);
  const { burnPerHour: _, exhausts: __, ...kept } = plain(summary);
  const counted = Array.isArray(limits)
    ? limits.map((limit: unknown) => {
        const { held: ___, windowStart: ____, resetAt: _____, ...figures } = plain(limit);
        return figures;
      })
    : limits;
  return { ...rest, asOf: null, summary: { ...kept, resetAt: null }, limits: counted };
};

const plain = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

/** Of the fullest limit, in millionths. */
const fullness = (limits: NonNullable<BudgetWorld['view']>['limits']): number =>
  Math.max(0, ...limits.map(({ spent, max }) => (max === 0n ? 1_000_000 : Number((spent * 1_000_000n) / max))));

const formerFullness = ({ limits }: Readonly<Record<string, unknown>>): number =>
  Array.isArray(limits)
    ? Math.max(0, ...limits.map((limit: unknown) => Number(plain(limit)['percent'] ?? 0) * 10_000))
    : 0;
