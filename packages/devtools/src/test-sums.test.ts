import { describe, expect, it } from '@jest/globals';
import { addSums, sumsOf, verdict } from './test-sums.ts';

const report = {
  numPassedTests: 5,
  numFailedTests: 1,
  numPendingTests: 2,
  numTodoTests: 1,
  numRuntimeErrorTestSuites: 1,
};

describe('the sums of the suites', () => {
  it('count a suite that could not run as a failure', () => {
    expect(sumsOf(report)).toEqual({ passed: 5, failed: 2, skipped: 3 });
    expect(sumsOf(null)).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });

  it('end with one plain line', () => {
    const sums = addSums([sumsOf(report), { passed: 1, failed: 0, skipped: 0 }]);
    expect(verdict(sums, [])).toEqual({ ok: false, lines: ['3 skipped', '6 passed, 2 failed'] });
    expect(verdict({ passed: 6, failed: 0, skipped: 0 }, [])).toEqual({ ok: true, lines: ['6 passed, 0 failed'] });
  });

  it('fail where nothing ran, and where a step failed without a failed test', () => {
    expect(verdict(addSums([]), [])).toEqual({ ok: false, lines: ['no test ran', '0 passed, 0 failed'] });
    const passed = { passed: 6, failed: 0, skipped: 0 };
    expect(verdict(passed, ['make verify'])).toEqual({
      ok: false,
      lines: ['failed: make verify', '6 passed, 1 failed'],
    });
  });
});
