import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { makeFailoverClient } from './failover-client.ts';
import type { LedgerClient } from './ledger-client.ts';

type Behaviour = 'well' | 'gone' | 'refuses' | 'broken';

const setUp = (...names: readonly string[]) => {
  const behaviour = new Map<string, Behaviour>();
  const asked: string[] = [];
  const closed: string[] = [];
  const act = (name: string): string => {
    asked.push(name);
    switch (behaviour.get(name) ?? 'well') {
      case 'well':
        return name;
      case 'gone':
        throw new LedgerUnavailable(name);
      case 'refuses':
        throw new LedgerRefused(name, 409, 'unknown_instance');
      case 'broken':
        throw new Error(name);
    }
  };
  const clients = names.map((name): LedgerClient => ({
    post: async (_path, _body, _timeout, read) => {
      await Promise.resolve();
      return read(act(name));
    },
    stream: async () => {
      await Promise.resolve();
      act(name);
      return new IncomingMessage(new Socket());
    },
    close: () => closed.push(name),
  }));
  return { behaviour, asked, closed, clients };
};

const askOf = (client: LedgerClient): Promise<string> => client.post('/', '', 1, (text) => text);

describe('several servers of one ledger', () => {
  it('are asked one after another until one answers, and the one that did is asked first from then on', async () => {
    const { behaviour, asked, clients } = setUp('a', 'b', 'c');
    const client = makeFailoverClient(clients, () => 0);
    behaviour.set('a', 'gone');
    behaviour.set('b', 'gone');
    expect(await askOf(client)).toBe('c');
    expect(await askOf(client)).toBe('c');
    behaviour.set('c', 'gone').set('a', 'well');
    await client.stream('/', 1, new AbortController().signal);
    expect(asked).toEqual(['a', 'b', 'c', 'c', 'c', 'a']);
  });

  it('are begun with by chance', async () => {
    const { clients } = setUp('a', 'b', 'c');
    expect(await askOf(makeFailoverClient(clients, () => 0.5))).toBe('b');
    expect(await askOf(makeFailoverClient(clients, () => 0.99))).toBe('c');
  });

  it.each([
    ['refuses', LedgerRefused],
    ['broken', Error],
  ] as const)('are not asked when the first one %s', async (how, error) => {
    const { behaviour, asked, clients } = setUp('a', 'b');
    behaviour.set('a', how);
    await expect(askOf(makeFailoverClient(clients, () => 0))).rejects.toThrow(error);
    expect(asked).toEqual(['a']);
  });

  it('are gone when none answers, and each is asked once', async () => {
    const { behaviour, asked, clients } = setUp('a', 'b');
    behaviour.set('a', 'gone').set('b', 'gone');
    await expect(askOf(makeFailoverClient(clients, () => 0))).rejects.toThrow(LedgerUnavailable);
    expect(asked).toEqual(['a', 'b']);
    await expect(askOf(makeFailoverClient([], () => 0))).rejects.toThrow(LedgerUnavailable);
  });

  it('are not asked for a stream that nobody wants any more, and are all let go', async () => {
    const { asked, closed, clients } = setUp('a', 'b');
    const client = makeFailoverClient(clients, () => 0);
    await expect(client.stream('/', 1, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    client.close();
    expect([asked, closed]).toEqual([[], ['a', 'b']]);
  });
});
