/** docs/cli.md, made from the commands themselves, so that the page and the program cannot differ. */
import type { Argument, Command, Option } from 'commander';

export const commandPage = (program: Command): string =>
  [
    '# The tollgate command',
    '',
    '<!-- Generated from packages/cli by `make generate`; do not edit. -->',
    '',
    program.description(),
    '',
    '```sh',
    'npx pnpm@10 exec tollgate COMMAND',
    '```',
    '',
    '`kubectl tollgate COMMAND` is the same where `kubectl-tollgate` is on the PATH. Commands that ask a server then ask that of the',
    'cluster, as they do with `--context`, `--kubeconfig`, `--system-namespace` or `--service-account`: [cluster.md](cluster.md).',
    '',
    '| Command | Does |',
    '|---|---|',
    ...leaves(program).map(
      (command) =>
        `| [\`${nameOf(command)}\`](#tollgate-${nameOf(command).replaceAll(' ', '-')}) | ${cell(command.description())} |`,
    ),
    '',
    '`--debug` before the command prints stack traces. `tollgate --version` prints the version.',
    '',
    'An error is one line that says what was wrong and one that says what to do. Exit codes: 0 done, 64 the command line, a',
    'setting or a manifest is wrong, 69 the server does not answer, 1 anything else. `wrap` exits with the code of its command.',
    '',
    ...leaves(program).flatMap(section),
  ].join('\n');

/** Commands that do something themselves; those that only hold others are not listed. */
const leaves = (command: Command): readonly Command[] =>
  command.commands.flatMap((child) => (child.commands.length === 0 ? [child] : leaves(child)));

/** `demo race` */
const nameOf = (command: Command): string =>
  command.parent?.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();

const section = (command: Command): string[] => [
  `## tollgate ${nameOf(command)}`,
  '',
  `${sentence(command.description())}${command.aliases().length === 0 ? '' : ` \`tollgate ${command.aliases().join('`, `tollgate ')}\` is the same.`}`,
  '',
  '```',
  `tollgate ${nameOf(command)} ${command.usage()}`,
  '```',
  '',
  ...table('Argument', command.registeredArguments.map(argumentRow)),
  ...table('Option', command.options.map(optionRow)),
];

const table = (what: string, rows: readonly string[]): string[] =>
  rows.length === 0 ? [] : [`| ${what} | Meaning |`, '|---|---|', ...rows, ''];

const argumentRow = (argument: Argument): string =>
  `| \`${argument.name()}\`${argument.required ? '' : ' (optional)'} | ${cell(argument.description)} |`;

const optionRow = ({ flags, description, mandatory, defaultValue, argChoices }: Option): string => {
  const value: unknown = defaultValue;
  const facts = [
    ...(mandatory ? ['required'] : []),
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(typeof value === 'string' || typeof value === 'number' ? [`default \`${value}\``] : []),
  ];
  return `| \`${flags.replaceAll('|', '\\|')}\` | ${cell(description)}${facts.length === 0 ? '' : ` (${facts.join('; ')})`} |`;
};

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const cell = (text: string): string => text.replaceAll('|', '\\|');
