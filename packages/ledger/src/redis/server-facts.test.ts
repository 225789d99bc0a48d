import { describe, expect, it } from '@jest/globals';
import { checkSuitable, parseInfo } from './server-facts.ts';

const INFO = '# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n';

describe('what Redis says of itself', () => {
  it('is read from INFO', () => {
    expect(parseInfo(INFO)).toEqual({ version: '7.0.15', runId: 'abc', policy: 'noeviction' });
  });

  it('is enough from 7 on, without eviction', () => {
    const facts = parseInfo(INFO);
    checkSuitable(facts);
    checkSuitable({ ...facts, version: '8.2.0' });
    expect(() => checkSuitable({ ...facts, version: '6.2.14' })).toThrow(
      'this Redis is 6.2.14: the pool needs Redis 7',
    );
    expect(() => checkSuitable({ ...facts, version: '' })).toThrow('of no known version');
    expect(() => checkSuitable({ ...facts, policy: 'allkeys-lru' })).toThrow('set maxmemory-policy noeviction');
    expect(() => checkSuitable({ ...facts, policy: '' })).toThrow('maxmemory-policy unknown');
  });
});
