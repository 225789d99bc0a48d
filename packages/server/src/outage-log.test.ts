import { describe, expect, it } from '@jest/globals';
import { recordingLogger } from '@tollgate/runtime/testing';
import { makeOutageLog } from './outage-log.ts';

describe('the log of an outage', () => {
  const open = () => {
    const due: (() => void)[] = [];
    const logger = recordingLogger();
    const log = makeOutageLog({
      logger,
      timers: {
        after: (_ms, act) => {
          due.push(act);
          return () => undefined;
        },
      },
    });
    const err = new Error('gone');
    return {
      fail: (reason: string) => log.note({ reason, code: 'ledger_unavailable', status: 503, err }),
      pass: () => {
        for (const act of due.splice(0)) act();
      },
      lines: () => logger.lines.map(({ level, fields }) => [level, fields.reason, fields.count]),
    };
  };

  it('is one warning a reason and some seconds, with how many there were', () => {
    const { fail, pass, lines } = open();
    for (let i = 0; i < 100; i += 1) fail('store_unreachable');
    fail('ledger_unavailable');
    expect(lines()).toEqual([
      ['warn', 'store_unreachable', 1],
      ['warn', 'ledger_unavailable', 1],
    ]);
    pass();
    expect(lines().slice(2)).toEqual([['warn', 'store_unreachable', 99]]);
    for (let i = 0; i < 5; i += 1) fail('store_unreachable');
    pass();
    expect(lines().slice(3)).toEqual([['warn', 'store_unreachable', 5]]);
  });

  it('says a new outage at once', () => {
    const { fail, pass, lines } = open();
    fail('store_locked');
    pass();
    pass();
    fail('store_locked');
    expect(lines()).toEqual([
      ['warn', 'store_locked', 1],
      ['warn', 'store_locked', 1],
    ]);
  });
});
