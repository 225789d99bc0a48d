/** `tollgate explain REQUEST_ID`: why a call cost what it did. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { connect, withConnection } from './connection-options.ts';
import type { ConnectionOptions } from './connection-options.ts';

interface ExplainOptions extends ConnectionOptions {
  readonly output?: string;
}

export const addExplain = (program: Command, io: Io): void => {
  withConnection(
    program
      .command('explain')
      .description('show why a call cost what it did: budgets, hold, price, usage and charge')
      .argument('<request-id>', 'as the x-tollgate-request-id header of the answer says')
      .addOption(new Option('-o, --output <format>', 'instead of text').choices(['json'])),
  ).action(async (requestId: string, options: ExplainOptions) => {
    const { askExplanation, explainedCall } = await import('../server/explained-call.ts');
    const server = await connect(options, io);
    const answer = await askExplanation(server, requestId);
    if (answer === null) {
      throw new CliError(`no charge is recorded for request ${requestId}`, {
        todo: 'the id is in the answer header x-tollgate-request-id; charges arrive within a second of the answer, refusals leave none',
      });
    }
    if (options.output === 'json') {
      io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
      return;
    }
    io.stdout(await explainedCall(server, answer));
  });
};
