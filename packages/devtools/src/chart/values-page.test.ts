import { describe, expect, it } from '@jest/globals';
import { valuesPage } from './values-page.ts';

describe('the page of values', () => {
  it('lists each value by its path, with the comment above it and its default', () => {
    const page = valuesPage(`# A word to whoever opens the file.

# How many.
replicas: 2
server:
  # Its port.
  port: 4180
  # Room, as
  # Kubernetes writes it.
  room: '64Mi'
`);
    expect(page).toBe(`### replicas

| Value | Default | Meaning |
|---|---|---|
| \`replicas\` | \`2\` | How many. |

### server

| Value | Default | Meaning |
|---|---|---|
| \`server.port\` | \`4180\` | Its port. |
| \`server.room\` | \`"64Mi"\` | Room, as Kubernetes writes it. |`);
  });

  it('shows a map in one line, or one that explains nothing, as one value, and a bar as it must stand in a table', () => {
    const page = valuesPage(`# One of a|b.
image: { name: proxy, digest: '' }
# None.
labels: {}
`);
    expect(page).toContain('| `image` | `{"name":"proxy","digest":""}` | One of a\\|b. |');
    expect(page).toContain('| `labels` | `{}` | None. |');
    expect(valuesPage('# Room.\nresources:\n  requests: { cpu: 20m }\n  limits: {}\n')).toContain(
      '| `resources` | `{"requests":{"cpu":"20m"},"limits":{}}` | Room. |',
    );
  });

  it('tells a map of several values by what is said of all of it, and then by them', () => {
    const page = valuesPage(`# The first.
first: 1
# A single database.
builtIn:
  # Its image.
  image: postgres
`);
    expect(page).toContain('| `builtIn` |  | A single database. |\n| `builtIn.image` | `"postgres"` | Its image. |');
  });

  it('refuses a value that nobody explains', () => {
    expect(() => valuesPage('# Said.\nb:\n  c: 2\n  # Also said.\n  d: 3\n')).toThrow(
      'values: b.c has no comment that says what it is for',
    );
  });

  it('refuses what is no map', () => {
    expect(() => valuesPage('- a')).toThrow('values: ');
    expect(() => valuesPage('a: [')).toThrow('values: ');
  });
});
