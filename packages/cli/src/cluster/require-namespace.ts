/** A namespace that a person names and that is not there would look like one where all is well. */
import { NAMESPACES } from '@tollgate/operator/inspection';
import { CliError } from '../cli-error.ts';
import type { Cluster } from './open-cluster.ts';
import { told } from './told.ts';

/** @throws CliError where the namespace that the command stays within is not there. Who may not look is believed. */
export const requireNamespace = async ({ api, selected }: Cluster): Promise<void> => {
  if (selected === null) return;
  const found = await told(api.get(NAMESPACES, { name: selected }, { metadataOnly: true }));
  if (found.known && found.value === null) {
    throw new CliError(`namespace "${selected}" not found`, {
      todo: 'kubectl get namespaces lists those that are there',
    });
  }
};
