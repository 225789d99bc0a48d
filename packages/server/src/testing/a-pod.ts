/** A pod as the operator tells of it. */
export interface ToldPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly workload: string;
  readonly workloadKind: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly team: string;
  readonly configHash: string;
}

/** Of the Deployment `web` in `shop`, but for what the test says. */
export const aPod = (part: Partial<ToldPod> = {}): ToldPod => ({
  uid: 'uid-1',
  namespace: 'shop',
  name: 'web-7d4b9c-x2x4z',
  workload: 'web',
  workloadKind: 'Deployment',
  serviceAccount: 'web',
  labels: { app: 'web' },
  team: 'team-a',
  configHash: 'h1',
  ...part,
});
