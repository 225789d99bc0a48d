import { describe, expect, it } from '@jest/globals';
import type { Child, ChildExit } from './child-process.ts';
import { keepRunning } from './keep-running.ts';

interface FakeChild extends Child {
  die(code: number): void;
}

const fakeChild = (pid: number): FakeChild => {
  let end: (exit: ChildExit) => void = () => undefined;
  const exited = new Promise<ChildExit>((resolve) => (end = resolve));
  return {
    pid,
    ready: {},
    exited,
    die: (code) => end({ code, signal: null }),
    stop: () => {
      end({ code: 0, signal: null });
      return Promise.resolve();
    },
  };
};

const ticks = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

const harness = async (starts: (() => Promise<Child>)[]) => {
  const log: string[] = [];
  let now = 0;
  const kept = await keepRunning({
    start: () => starts.shift()?.() ?? new Promise(() => undefined),
    onReady: ({ pid }) => log.push(`ready ${pid}`),
    onExit: ({ code }, retryInMs) => log.push(`exit ${code}, again in ${retryInMs}`),
    onFailedStart: (_, retryInMs) => log.push(`failed, again in ${retryInMs}`),
    clock: () => now,
    pause: () => Promise.resolve(),
  });
  return { kept, log, pass: (ms: number) => (now += ms) };
};

describe('a child that is kept running', () => {
  it('is started again when it dies, with pauses that grow', async () => {
    const children = [1, 2, 3].map(fakeChild);
    const { log } = await harness(children.map((child) => () => Promise.resolve(child)));
    for (const child of children) {
      child.die(1);
      await ticks();
    }
    expect(log).toEqual([
      'ready 1',
      'exit 1, again in 200',
      'ready 2',
      'exit 1, again in 400',
      'ready 3',
      'exit 1, again in 800',
    ]);
  });

  it('is tried again after a failed start', async () => {
    const [first, second] = [fakeChild(1), fakeChild(2)];
    const { log } = await harness([
      () => Promise.resolve(first),
      () => Promise.reject(new Error('no')),
      () => Promise.resolve(second),
    ]);
    first.die(9);
    await ticks();
    expect(log).toEqual(['ready 1', 'exit 9, again in 200', 'failed, again in 400', 'ready 2']);
  });

  it('starts from the shortest pause again after it has run steadily', async () => {
    const children = [1, 2, 3].map(fakeChild);
    const { log, pass } = await harness(children.map((child) => () => Promise.resolve(child)));
    children[0]?.die(1);
    await ticks();
    pass(60_000);
    children[1]?.die(1);
    await ticks();
    expect(log.at(-2)).toBe('exit 1, again in 200');
  });

  it('is not started again once it was stopped', async () => {
    const { kept, log } = await harness([() => Promise.resolve(fakeChild(1)), () => Promise.resolve(fakeChild(2))]);
    await kept.stop(1000);
    await ticks();
    expect(log).toEqual(['ready 1']);
  });

  it('passes a failure of its first start on', async () => {
    await expect(harness([() => Promise.reject(new Error('port'))])).rejects.toThrow('port');
  });
});
