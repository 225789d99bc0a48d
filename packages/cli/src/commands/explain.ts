/** `tollgate explain REQUEST_ID`: why a call cost what it did. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { withServerAsSeen, withView } from './connection-options.ts';
import type { ViewOptions } from './connection-options.ts';

interface ExplainOptions extends ViewOptions {
  readonly output?: string;
}

export const addExplain = (program: Command, io: Io): void => {
  withView(
    program
      .command('explain')
      .description('show why a call cost what it did: budgets, hold, price, usage and charge')
      .argument('<request-id>', 'as the x-tollgate-request-id header of the answer says')
      .addOption(new Option('-o, --output <format>', 'instead of text').choices(['json'])),
  ).action(async (requestId: string, options: ExplainOptions) => {
    const { askExplanation, explainedCall } = await import('../server/explained-call.ts');
    await withServerAsSeen(options, io, async (server) => {
      const answer = await askExplanation(server, requestId);
      if (answer === null) {
        throw new CliError(`no charge is recorded for request ${requestId}`, {
          todo: 'the id is in the answer header x-tollgate-request-id; charges arrive within a second of the answer, refusals leave none',
        });
      }
      io.stdout(
        options.output === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : await explainedCall(server, answer),
      );
    });
  });
};
