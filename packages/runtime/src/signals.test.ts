import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { onStopSignals } from './signals.ts';

const listening = () => {
  const source = new EventEmitter();
  const calls: string[] = [];
  const off = onStopSignals(source, {
    stop: ({ signal, reason }) => void calls.push(`stop ${signal}: ${reason}`),
    force: ({ signal, exitCode }) => void calls.push(`force ${signal}: ${exitCode}`),
  });
  return { source, calls, off };
};

describe('stop signals', () => {
  it('stop the process in order at the first, and at once at the second', () => {
    const { source, calls } = listening();
    source.emit('SIGTERM');
    source.emit('SIGINT');
    expect(calls).toEqual(['stop SIGTERM: asked to stop', 'force SIGINT: 130']);
  });

  it('are no longer listened to when taken off', () => {
    const { source, calls, off } = listening();
    off();
    source.emit('SIGINT');
    expect(calls).toEqual([]);
    expect(source.eventNames()).toEqual([]);
  });
});
