/** A namespace for one story, with nothing in it before and nothing left after. */
import { randomBytes } from 'node:crypto';
import { apply, kubectl } from './kubectl.ts';

export interface StoryNamespace {
  readonly name: string;
  remove(): Promise<void>;
}

/** As strict as a careful team has it: what runs here runs everywhere. */
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

export const makeNamespace = async (
  story: string,
  labels: Readonly<Record<string, string>> = RESTRICTED,
): Promise<StoryNamespace> => {
  const name = `${story}-${randomBytes(3).toString('hex')}`;
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  // A pod that comes before it is refused.
  await kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', name, '--timeout=60s']);
  return {
    name,
    remove: async () => {
      await kubectl(['delete', 'namespace', name, '--wait=true', '--timeout=120s']);
    },
  };
};
