import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PROGRAMS } from '../bundle.ts';
import { copiedFiles, IMAGES } from './image-list.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const textOf = (dockerfile: string): string => readFileSync(join(ROOT, dockerfile), 'utf8');

describe('the files that a Dockerfile copies', () => {
  it('are all words between COPY and the target, without options', () => {
    expect(copiedFiles('FROM a\nCOPY --chmod=0644 a b/c /app/\nRUN x\nCOPY d /d\n')).toEqual(['a', 'b/c', 'd']);
  });
});

describe.each(IMAGES)('the image $name', ({ name, dockerfile }) => {
  it('copies only what lies in the checkout or is made by make', () => {
    const made = [...PROGRAMS.flatMap(({ out }) => [out, `${out}.LEGAL.txt`]), `dist/images/${name}.spdx.json`];
    const strange = copiedFiles(textOf(dockerfile)).filter(
      (file) => !made.includes(file) && !existsSync(join(ROOT, file)),
    );
    expect(strange).toEqual([]);
  });

  it('runs as a numeric user that is not root, runs nothing while it is built, and says what it is', () => {
    const text = textOf(dockerfile);
    expect(text).toMatch(/^USER 65532:65532$/m);
    expect(text).not.toMatch(/^(RUN|ADD) /m);
    for (const label of ['title', 'description', 'version', 'revision', 'licenses']) {
      expect(text).toContain(`org.opencontainers.image.${label}=`);
    }
  });
});
