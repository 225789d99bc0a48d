/** docs/benchmarks.md: each bench writes its own section and leaves the others as they are. Pure. */

/** In the order of the page. */
const SECTIONS = ['proxy', 'ledger', 'cluster'] as const;
export type Section = (typeof SECTIONS)[number];

const begin = (section: Section): string => `<!-- bench:${section} -->`;
const end = (section: Section): string => `<!-- /bench:${section} -->`;

export const withSection = (page: string, section: Section, text: string): string =>
  [
    '# Benchmarks',
    ...SECTIONS.flatMap((each) => {
      const body = each === section ? text.trim() : bodyOf(page, each);
      return body === null ? [] : [`${begin(each)}\n${body}\n${end(each)}`];
    }),
  ].join('\n\n') + '\n';

const bodyOf = (page: string, section: Section): string | null => {
  const from = page.indexOf(begin(section));
  const to = page.indexOf(end(section), from);
  return from < 0 || to < 0 ? null : page.slice(from + begin(section).length, to).trim();
};
