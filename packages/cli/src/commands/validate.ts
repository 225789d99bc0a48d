/** `tollgate validate -f PATH`: every fault of every manifest, with no server. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';

export const addValidate = (program: Command, io: Io): void => {
  program
    .command('validate')
    .description('check manifests without a server; prints every fault with its file, line and path')
    .requiredOption('-f, --filename <path>', 'a manifest, or a folder of them')
    .action(async ({ filename }: { filename: string }) => {
      const { manifestFaultText, parseManifestFiles } = await import('@tollgate/api/schema');
      const files = await readManifests(filename);
      if (files.length === 0) {
        throw new CliError(`there is no manifest in ${filename}`, {
          todo: 'name a .yaml, .yml or .json file, or a folder with some',
          exitCode: EXIT.usage,
        });
      }
      const { resources, faults } = parseManifestFiles(files);
      if (faults.length > 0) {
        io.stderr(faults.map((fault) => `${manifestFaultText(fault)}\n`).join(''));
        throw new CliError(count(faults.length, 'fault'), {
          todo: 'correct the lines above and check again',
          exitCode: EXIT.usage,
        });
      }
      io.stdout(`${count(files.length, 'file')}, ${count(resources.length, 'resource')}: all valid\n`);
    });
};

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

const readManifests = async (path: string): Promise<{ name: string; text: string }[]> => {
  try {
    if (!(await stat(path)).isDirectory()) return [{ name: path, text: await readFile(path, 'utf8') }];
    const names = (await readdir(path, { recursive: true }))
      .filter((name) => /\.(ya?ml|json)$/.test(name) && !/(^|[\\/])\./.test(name))
      .sort();
    return await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(path, name), 'utf8') })));
  } catch (cause) {
    throw new CliError(`${path} cannot be read`, {
      todo: 'check the name and its permissions',
      exitCode: EXIT.usage,
      cause,
    });
  }
};
