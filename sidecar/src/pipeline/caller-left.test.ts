import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { signalOfLeaving } from './caller-left.ts';

describe('the signal of a caller who leaves', () => {
  it('comes with the end of the connection, and at once where that is over', async () => {
    const connection = new PassThrough();
    const signal = signalOfLeaving(connection);
    expect(signal.aborted).toBe(false);
    const closed = new Promise((resolve) => connection.once('close', resolve));
    connection.destroy();
    await closed;
    expect([signal.aborted, signalOfLeaving(connection).aborted]).toEqual([true, true]);
  });
});
