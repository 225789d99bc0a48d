/** All commands in the order of the help. Each imports what is heavy only when it runs, so that the others start fast. */
import { VERSION } from '@tollgate/runtime';
import { Command } from 'commander';
import { addCheck } from './commands/check.ts';
import { addDemo } from './commands/demo.ts';
import { addExplain } from './commands/explain.ts';
import { addGet } from './commands/get.ts';
import { addGrant } from './commands/grant.ts';
import { addInject } from './commands/inject.ts';
import { addMigrate } from './commands/migrate.ts';
import { addMockProvider } from './commands/mock-provider.ts';
import { addScan } from './commands/scan.ts';
import { addServe } from './commands/serve.ts';
import { addInstances } from './commands/instances.ts';
import { addServer } from './commands/server.ts';
import { addUninstall } from './commands/uninstall.ts';
import { addUnresolved } from './commands/unresolved.ts';
import { addUsage } from './commands/usage.ts';
import { addValidate } from './commands/validate.ts';
import { addVersion } from './commands/version.ts';
import { addWrap } from './commands/wrap.ts';
import type { Io } from './io.ts';

export const buildProgram = (io: Io): Command => {
  const program = new Command('tollgate')
    .description('A price gate in front of every LLM call.')
    .version(VERSION, '--version', 'print the version of this command')
    .option('--debug', 'print stack traces')
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for what this command takes)')
    .configureOutput({
      writeOut: io.stdout,
      writeErr: io.stderr,
      outputError: (text, write) => write(text.replace(/^error: /, 'tollgate: ')),
    })
    .exitOverride();
  addServe(program, io);
  addWrap(program, io);
  addServer(program, io);
  addGet(program, io);
  addExplain(program, io);
  addUsage(program, io);
  addInstances(program, io);
  addUnresolved(program, io);
  addValidate(program, io);
  addScan(program, io);
  addCheck(program, io);
  addInject(program, io);
  addGrant(program, io);
  addUninstall(program, io);
  addDemo(program, io);
  addMigrate(program, io);
  addMockProvider(program, io);
  addVersion(program, io);
  return program;
};
