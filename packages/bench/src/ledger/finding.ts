/** One figure of the ledger's bench, and whether it is what was aimed at. Pure. */
export interface Finding {
  readonly what: string;
  /** The median over the rounds; NaN where it was not measured. */
  readonly value: number;
  readonly goal: Goal | null;
  /** What the same machine did at best, or what else belongs to the figure. */
  readonly beside: string;
  /** Where a goal was missed: what would come next. */
  readonly next?: string;
}

export interface Goal {
  readonly kind: 'most' | 'least' | 'below';
  readonly bound: number;
}

export const most = (bound: number): Goal => ({ kind: 'most', bound });
export const least = (bound: number): Goal => ({ kind: 'least', bound });
export const below = (bound: number): Goal => ({ kind: 'below', bound });

export type Verdict = 'met' | 'missed' | 'not measured' | 'no goal';

export const verdictOf = ({ value, goal }: Pick<Finding, 'value' | 'goal'>): Verdict => {
  if (Number.isNaN(value)) return 'not measured';
  if (goal === null) return 'no goal';
  return isMet(value, goal) ? 'met' : 'missed';
};

const isMet = (value: number, { kind, bound }: Goal): boolean => {
  switch (kind) {
    case 'most':
      return value <= bound;
    case 'least':
      return value >= bound;
    case 'below':
      return value < bound;
    default:
      return kind satisfies never;
  }
};
