import { describe, expect, it } from '@jest/globals';
import { printInstances } from '../format/instance-table.ts';
import { printUnresolved } from '../format/unresolved-table.ts';
import { instancesFrom } from './instances.ts';
import { unresolvedFrom } from './unresolved.ts';

const UNRESOLVED = {
  unresolved: [
    {
      id: '7.epoch',
      budget: 'shop/pool',
      limit: 'daily',
      windowId: '2026-11-21T00:00Z/Day',
      unit: 'cost',
      amount: '1500000000',
      since: 1_000,
      lost: [{ instance: 'a', by: 'admin' }],
    },
    {
      id: '8.',
      budget: 'shop/pool',
      limit: 'calls',
      windowId: 'w',
      unit: 'requests',
      amount: '12',
      since: null,
      lost: [],
    },
  ],
};

describe('lost proxies', () => {
  it('are listed with what they took', () => {
    expect(printUnresolved(unresolvedFrom(UNRESOLVED), 61_000)).toBe(
      [
        'ID        BUDGET      LIMIT   WINDOW                  AMOUNT        AGE   LOST',
        '7.epoch   shop/pool   daily   2026-11-21T00:00Z/Day   $1.50         60s   a',
        '8.        shop/pool   calls   w                       12 requests   -     -',
        '',
      ].join('\n'),
    );
  });

  it('are found among those that have leases', () => {
    const instances = [
      {
        instance: 'a',
        version: '1',
        subject: { namespace: 'shop', workload: 'web', pod: 'web-1' },
        helloAt: 0,
        epochs: ['e'],
      },
      { instance: 'b', version: null, subject: null, helloAt: 0, epochs: ['e', 'f'] },
      { instance: 'c', version: '1', subject: { namespace: 'n', workload: 'w' }, helloAt: 0, epochs: [] },
    ];
    expect(printInstances(instancesFrom({ instances }), 5_000)).toBe(
      [
        'INSTANCE   SUBJECT            VERSION   HELLO   EPOCHS',
        'a          shop/web (web-1)   1         5s      1',
        'b          -                  -         5s      2',
        'c          n/w                1         5s      0',
        '',
      ].join('\n'),
    );
  });

  it.each([[null], [{}], [{ unresolved: [{}] }], [{ unresolved: [{ ...UNRESOLVED.unresolved[0], amount: '-1' }] }]])(
    'are not read from %j',
    (answer) => {
      expect(() => unresolvedFrom(answer)).toThrow(/did not answer as expected/);
    },
  );
});
