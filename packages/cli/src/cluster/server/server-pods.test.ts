import { describe, expect, it } from '@jest/globals';
import { podToAsk, type ServerPod } from './server-pods.ts';

const pod = (name: string, ready: string, meta: object = {}): ServerPod => ({
  metadata: { name, ...meta },
  status: {
    conditions: [
      { type: 'Initialized', status: 'True' },
      { type: 'Ready', status: ready },
    ],
  },
});

describe('the pod of the server that is asked', () => {
  it('is one that is ready and stays', () => {
    const going = pod('a', 'True', { deletionTimestamp: '2026-11-01T00:00:00Z' });
    expect(podToAsk([pod('d', 'True'), pod('b', 'False'), going, pod('c', 'True')])).toBe('c');
  });

  it('is none where none is', () => {
    expect(podToAsk([])).toBeNull();
    expect(podToAsk([pod('b', 'False'), { metadata: { name: 'new' } }])).toBeNull();
  });
});
