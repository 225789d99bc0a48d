import { describe, expect, it } from '@jest/globals';
import { podFindings } from './pod-findings.ts';

const OPENAI = { host: 'api.openai.com', count: 2 };
const proxy = (pod: string | null, direct: readonly (typeof OPENAI)[] | null = []) => ({
  subject: { namespace: 'shop', workload: 'web', labels: {}, team: 'shop', ...(pod === null ? {} : { pod }) },
  direct,
});

describe('what is odd about pods', () => {
  it('is that no call was recorded, or that the proxy found connections past it; of others nothing is said', async () => {
    const asked: unknown[] = [];
    const store = {
      silentPods: async (pods: readonly { readonly namespace: string; readonly name: string }[]) => {
        asked.push(...pods.map(({ name }) => name));
        return [{ namespace: 'shop', name: 'silent' }];
      },
    };
    const proxies = [proxy('well'), proxy('silent', null), proxy('past', [OPENAI]), proxy(null, [OPENAI])];
    expect(await podFindings(proxies, store)).toEqual([
      { namespace: 'shop', name: 'silent', isSilent: true, direct: [] },
      { namespace: 'shop', name: 'past', isSilent: false, direct: [OPENAI] },
    ]);
    expect(asked).toEqual(['well', 'silent', 'past']);
  });
});
