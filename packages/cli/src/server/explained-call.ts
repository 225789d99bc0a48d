/** The text of `tollgate explain`: one call as the server recorded it, priced by the table of this build. */
import { printExplanation } from '../format/explanation.ts';
import { askServer } from './ask-server.ts';
import { explanationFrom } from './explanation.ts';
import type { ServerAddress } from './find-server.ts';
import { rowFinder } from './price-rows.ts';
import { remainingFrom } from './remaining.ts';

/** The server's answer as it is; null where no charge is recorded for that request. */
export const askExplanation = (server: ServerAddress, requestId: string): Promise<unknown> =>
  askServer(server, `/v1/explain/${encodeURIComponent(requestId)}`);

export const explainedCall = async (server: ServerAddress, answer: unknown): Promise<string> =>
  printExplanation({
    explanation: explanationFrom(answer),
    rowFor: rowFinder(),
    remaining: remainingFrom(await askServer(server, '/v1/budgets')),
  });
