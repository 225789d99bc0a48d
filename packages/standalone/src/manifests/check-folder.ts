/** At the start there is no former manifest to stay in force: with a bad one, calls would pass unlimited. */
import { manifestFaultText } from '@tollgate/api/schema';
import { errorCode, errorMessage } from '../error-code.ts';
import { StandaloneError } from '../standalone-error.ts';
import { faultList } from './fault-list.ts';
import { EMPTY_FOLDER, faultsOf, nextFolder } from './folder-state.ts';
import { readFolder } from './read-folder.ts';

/** Throws with every fault of the folder; with none, nothing happens. */
export const checkFolder = async (path: string): Promise<void> => {
  const { texts, unreadable } = await readFolder(path).catch((cause: unknown) => {
    throw new StandaloneError(
      'resources',
      `the resources folder ${path} cannot be read (${errorCode(cause) ?? errorMessage(cause)})`,
      {
        todo: 'name a folder with manifests: --resources DIR (an empty one will do)',
        cause,
      },
    );
  });
  const faults = [
    ...[...unreadable].map(([file, why]) => `${file}: cannot be read (${why})`),
    ...faultsOf(nextFolder(EMPTY_FOLDER, texts)).map(manifestFaultText),
  ];
  if (faults.length === 0) return;
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  throw new StandaloneError('resources', `the manifests of ${path} have ${count}, so nothing was started`, {
    todo: faultList(faults).join('\n  '),
  });
};
