/** For `make generate`: the page on the command. */
import { commandPage } from './format/command-page.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';

export const cliPage = (): { readonly path: string; readonly text: string } => ({
  path: 'docs/cli.md',
  text: commandPage(buildProgram(NOTHING)),
});

/** Commands are described here, and never run. */
const NOTHING: Io = {
  env: {},
  home: '/',
  pid: 0,
  isKubectlPlugin: false,
  now: () => 0,
  stdout: () => undefined,
  stderr: () => undefined,
  hasTerminal: false,
  screenColumns: () => 0,
  signals: { on: () => undefined, off: () => undefined },
  exit: () => undefined,
  programs: { tollgate: [], proxy: [], pglite: [], preload: '' },
};
