/** The executable lines of every product source, and which of them ran in any process. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedPositionFor, LEAST_UPPER_BOUND, TraceMap } from '@jridgewell/trace-mapping';
import istanbul, { type CoverageMapData } from 'istanbul-lib-coverage';
import { statementsOf, type Statement } from './executable-lines.ts';
import { lineOffsets, ranAt, type V8Script } from './v8-coverage.ts';

export interface FileLines {
  readonly file: string;
  readonly lines: number;
  readonly missed: readonly number[];
}

export interface CoverageInput {
  readonly root: string;
  /** Relative to the root. A file that no process loaded has all its lines missed. */
  readonly sources: readonly string[];
  /** jest's `coverage-final.json`: code that ran inside of a test. */
  readonly jest: CoverageMapData;
  /** One entry a script and process: code that ran in a child, from source or bundled. */
  readonly scripts: readonly V8Script[];
}

/** All sources of what ships. The bench measures, and is not measured. */
export const productSources = (root: string): readonly string[] =>
  globSync(['{sidecar,operator}/src/**/*.ts', 'packages/*/src/**/*.ts'], { cwd: root })
    .filter((file) => !/[.]test[.]ts$|[.]d[.]ts$|\/testing\/|^packages\/bench\//.test(file))
    .sort();

export const coveredLines = ({ root, sources, jest, scripts }: CoverageInput): readonly FileLines[] => {
  const statements = new Map(sources.map((file) => [file, statementsOf(readFileSync(join(root, file), 'utf8'), file)]));
  const ran = new Map(sources.map((file) => [file, new Set<number>()]));
  const map = istanbul.createCoverageMap(jest);
  for (const path of map.files()) {
    const lines = ran.get(relative(root, path));
    if (lines === undefined) continue;
    for (const [line, count] of Object.entries(map.fileCoverageFor(path).getLineCoverage()))
      if (count > 0) lines.add(Number(line));
  }
  for (const script of scripts) {
    const path = script.url.startsWith('file://') ? fileURLToPath(script.url) : null;
    if (path === null || !existsSync(path)) continue;
    const places = path.endsWith('.ts') ? sourcePlaces(root, path, statements) : bundlePlaces(root, path, statements);
    const hasRun = ranAt(script);
    for (const { file, line, offset } of places) if (hasRun(offset)) ran.get(file)?.add(line);
  }
  return sources.map((file) => {
    const lines = [...new Set(statements.get(file)?.map(({ line }) => line))];
    return {
      file,
      lines: lines.length,
      missed: lines.filter((line) => ran.get(file)?.has(line) !== true).sort((a, b) => a - b),
    };
  });
};

/** Percent of the executable lines that ran. A set of files with none is fully covered. */
export const percentOf = (files: readonly FileLines[]): number => {
  const lines = files.reduce((sum, file) => sum + file.lines, 0);
  const missed = files.reduce((sum, file) => sum + file.missed.length, 0);
  return lines === 0 ? 100 : ((lines - missed) / lines) * 100;
};

interface Place {
  readonly file: string;
  readonly line: number;
  /** Of the statement in the script that ran. */
  readonly offset: number;
}

type StatementsByFile = ReadonlyMap<string, readonly Statement[]>;

/** Type stripping blanks types out and moves nothing, so places in the source are places in what ran. */
const sourcePlaces = (root: string, path: string, statements: StatementsByFile): readonly Place[] => {
  const file = relative(root, path);
  const offsets = lineOffsets(readFileSync(path, 'utf8'));
  return (statements.get(file) ?? []).map(({ line, column }) => ({
    file,
    line,
    offset: (offsets[line - 1] ?? 0) + column,
  }));
};

const bundlePlaces = (root: string, path: string, statements: StatementsByFile): readonly Place[] => {
  if (!existsSync(`${path}.map`)) return [];
  const map = new TraceMap(readFileSync(`${path}.map`, 'utf8'), path);
  const offsets = lineOffsets(readFileSync(path, 'utf8'));
  return map.resolvedSources.flatMap((source, index) => {
    const file = relative(root, source);
    const original = map.sources[index];
    if (original === null || original === undefined) return [];
    return (statements.get(file) ?? []).flatMap(({ line, column }) => {
      const place = generatedPositionFor(map, { source: original, line, column, bias: LEAST_UPPER_BOUND });
      return place.line === null ? [] : [{ file, line, offset: (offsets[place.line - 1] ?? 0) + place.column }];
    });
  });
};
