import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it, for this user alone; one that is there is left as it is. Throws the system's fault.
 * Not by `mkdirSync(…, { recursive: true })`: where the parent is there and the child cannot be, as in `/proc`, it tries
 * for ever (seen with Node 24).
 */
export const makeFolder = (path: string): void => {
  const missing: string[] = [];
  let above = resolve(path);
  for (; !existsSync(above); above = dirname(above)) missing.unshift(above);
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (fault) {
      // Another process made it meanwhile.
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw fault;
    }
  }
  // Of what was there: a file says so in its own words.
  if (!statSync(path).isDirectory()) mkdirSync(path);
};
