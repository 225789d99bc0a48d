/** Keeps the resources of a folder in force while people edit it: chokidar says that something changed, the folder says what. */
import { stat } from 'node:fs/promises';
import { watch } from 'chokidar';
import { manifestFaultText } from '@tollgate/api/schema';
import type { ManifestFault, Resource } from '@tollgate/api/schema';
import { errorMessage } from '../error-code.ts';
import { EMPTY_FOLDER, faultsOf, nextFolder, resourcesOf } from './folder-state.ts';
import type { FolderState } from './folder-state.ts';
import { MAX_DEPTH, readFolder } from './read-folder.ts';
import type { FolderTexts } from './read-folder.ts';

export interface WatchManifestsOptions {
  readonly root: string;
  /** Called once before the promise resolves, and then whenever the set in force changed. */
  readonly onResources: (resources: readonly Resource[]) => void | Promise<void>;
  /** Called when the faults changed; an empty list says that all is well again. */
  readonly onFaults: (faults: readonly ManifestFault[]) => void;
  /** The folder itself cannot be read; what is in force stays. */
  readonly onTrouble: (message: string) => void;
  /** Editors write in several steps: wait until they have been quiet for this long. */
  readonly settleMs?: number;
}

export interface ManifestWatch {
  current(): FolderState;
  close(): Promise<void>;
}

const SETTLE_MS = 80;
/** An edit takes effect within 2 s even while other files of the folder keep changing. */
const MAX_WAIT_MS = 600;
/** A file that was cut to nothing is most often about to be written: look again before it is called a fault. */
const BLANK_WAIT_MS = 300;

export const watchManifests = async (options: WatchManifestsOptions): Promise<ManifestWatch> => {
  const { root, onResources, onFaults, onTrouble, settleMs = SETTLE_MS } = options;
  let state: FolderState = EMPTY_FOLDER;
  let resourcesSeen = '';
  let faultsSeen = '';

  const take = async ({ texts, unreadable }: FolderTexts): Promise<void> => {
    state = withUnreadable(nextFolder(state, texts), state, unreadable);
    const resources = resourcesOf(state);
    const resourcesNow = JSON.stringify(resources);
    if (resourcesNow !== resourcesSeen) {
      await onResources(resources);
      resourcesSeen = resourcesNow;
    }
    const faults = faultsOf(state);
    const faultsNow = faults.map(manifestFaultText).join('\n');
    if (faultsNow !== faultsSeen) onFaults(faults);
    faultsSeen = faultsNow;
  };

  // Read first: a folder that is not there is a plain error, before anything is opened.
  await stat(root);
  const watcher = watch(root, {
    ignoreInitial: true,
    depth: MAX_DEPTH,
    // Kubernetes swaps `..data`; editors keep dot files beside the file they edit.
    ignored: (path) => path.length > root.length && /[\\/]\.(?!\.data$)[^\\/]*$/.test(path.slice(root.length)),
  });
  watcher.on('error', (error) => onTrouble(errorMessage(error)));
  await new Promise<void>((resolve) => watcher.once('ready', resolve));

  let running = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let firstAt: number | undefined;
  let closed = false;

  const look = async (again: boolean): Promise<void> => {
    if (closed) return;
    try {
      const folder = await readFolder(root);
      if (!again && hasNewBlank(state, folder.texts)) {
        await new Promise((resolve) => setTimeout(resolve, BLANK_WAIT_MS));
        await look(true);
        return;
      }
      await take(folder);
    } catch (error) {
      onTrouble(errorMessage(error));
    }
  };
  const schedule = (): void => {
    const now = performance.now();
    firstAt ??= now;
    clearTimeout(timer);
    const wait = Math.max(0, Math.min(settleMs, firstAt + MAX_WAIT_MS - now));
    timer = setTimeout(() => {
      firstAt = undefined;
      running = running.then(() => look(false));
    }, wait);
  };

  const release = async (): Promise<void> => {
    closed = true;
    clearTimeout(timer);
    await watcher.close();
    await running;
  };
  try {
    await take(await readFolder(root));
  } catch (error) {
    await release();
    throw error;
  }
  watcher.on('all', schedule);
  return { current: () => state, close: release };
};

const hasNewBlank = (state: FolderState, texts: ReadonlyMap<string, string>): boolean =>
  [...texts].some(([file, text]) => text.trim() === '' && (state.get(file)?.text ?? '').trim() !== '');

const withUnreadable = (
  next: FolderState,
  former: FolderState,
  unreadable: ReadonlyMap<string, string>,
): FolderState => {
  if (unreadable.size === 0) return next;
  const all = new Map(next);
  for (const [file, why] of unreadable) {
    const before = former.get(file) ?? { text: '', resources: [] };
    all.set(file, {
      ...before,
      faults: [{ file, document: 1, line: null, title: 'file', path: '', message: `cannot be read (${why})` }],
    });
  }
  return all;
};
