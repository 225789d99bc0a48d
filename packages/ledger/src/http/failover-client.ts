/**
 * Several servers of one ledger, any of which will do: a question that one does not answer goes to the next, and who
 * answered last is asked first. What a server refuses, all of them refuse: that is an answer.
 */
import { LedgerUnavailable } from '../lease-port.ts';
import type { LedgerClient } from './ledger-client.ts';

export const makeFailoverClient = (clients: readonly LedgerClient[], random: () => number): LedgerClient => {
  // Where each begins is left to chance, so that their proxies are spread over the servers.
  let first = Math.floor(random() * clients.length);

  const ask = async <T>(question: (client: LedgerClient) => Promise<T>): Promise<T> => {
    const begun = first;
    let last: unknown = new LedgerUnavailable('no server is named');
    for (let tries = 0; tries < clients.length; tries += 1) {
      const at = (begun + tries) % clients.length;
      const client = clients[at];
      if (!client) break;
      try {
        const answer = await question(client);
        first = at;
        return answer;
      } catch (fault) {
        if (!(fault instanceof LedgerUnavailable)) throw fault;
        last = fault;
      }
    }
    throw last;
  };

  return {
    post: (path, body, timeoutMs, read) => ask((client) => client.post(path, body, timeoutMs, read)),
    stream: (path, timeoutMs, signal) =>
      ask((client) => {
        signal.throwIfAborted();
        return client.stream(path, timeoutMs, signal);
      }),
    close: () => {
      for (const client of clients) client.close();
    },
  };
};
