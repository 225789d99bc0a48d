import { describe, expect, it } from '@jest/globals';
import { makeFakeClock } from '@tollgate/testkit';
import { makeStatusPublisher } from './status-publisher.ts';

const aPublisher = () => {
  const clock = makeFakeClock();
  const faults: string[] = [];
  const written: string[] = [];
  const publisher = makeStatusPublisher({
    timers: clock.timers,
    clock: clock.now,
    onFault: (key) => void faults.push(key),
  });
  const write = (key: string) => async (): Promise<void> => void written.push(`${key}@${clock.now()}`);
  return { clock, faults, written, publisher, write };
};

describe('the status publisher', () => {
  it('writes at once, then what was offered last, five seconds later', async () => {
    const { clock, written, publisher, write } = aPublisher();
    publisher.offer('a', 1, write('a1'));
    await clock.advance(100);
    publisher.offer('a', 1, write('a2'));
    publisher.offer('a', 2, write('a3'));
    await clock.advance(10_000);
    expect(written).toEqual(['a1@0', 'a3@5000']);
  });

  it('compares what is offered in one turn', async () => {
    const { clock, written, publisher, write } = aPublisher();
    for (let index = 0; index < 21; index += 1) publisher.offer(`k${index}`, index, write(`k${index}`));
    await clock.advance(0);
    expect(written[0]).toBe('k20@0');
    expect(written).toHaveLength(20);
    await clock.advance(1_000);
    expect(written.at(-1)).toBe('k0@1000');
  });

  it('begins nothing while twenty writes are under way, and goes on a second after they ended', async () => {
    const { clock, written, publisher, write } = aPublisher();
    const slow = Promise.withResolvers<undefined>();
    for (let index = 0; index < 20; index += 1) {
      publisher.offer(`slow${index}`, 9, async () => {
        await slow.promise;
      });
    }
    publisher.offer('next', 1, write('next'));
    await clock.advance(10_000);
    expect(written).toEqual([]);
    slow.resolve(undefined);
    await clock.advance(999);
    expect(written).toEqual([]);
    await clock.advance(1);
    expect(written).toEqual(['next@11000']);
  });

  it('forgets what is withdrawn, and says which write failed', async () => {
    const { clock, written, faults, publisher, write } = aPublisher();
    publisher.offer('a', 1, write('a'));
    publisher.withdraw('a');
    publisher.offer('b', 1, () => Promise.reject(new Error('no')));
    await clock.advance(1_000);
    expect({ written, faults }).toEqual({ written: [], faults: ['b'] });
  });

  it('writes nothing once it is stopped', async () => {
    const { clock, written, publisher, write } = aPublisher();
    publisher.offer('a', 1, write('a'));
    await publisher.stop();
    publisher.offer('b', 1, write('b'));
    await clock.advance(10_000);
    expect(written).toEqual([]);
  });
});
