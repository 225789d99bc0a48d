/** Which lines of a source can be executed: those on which a statement starts. Types, comments and blank lines cannot. */
import { createInstrumenter } from 'istanbul-lib-instrument';

export interface Statement {
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
}

/** The starts of all statements of a TypeScript source, by istanbul's definition of a statement. */
export const statementsOf = (source: string, file: string): readonly Statement[] => {
  const instrumenter = createInstrumenter({
    esModules: true,
    parserPlugins: ['typescript', 'importMeta', 'topLevelAwait', 'importAttributes'],
  });
  try {
    instrumenter.instrumentSync(source, file);
  } catch (cause) {
    throw new Error(`cannot parse ${file}`, { cause });
  }
  return Object.values(instrumenter.lastFileCoverage().statementMap).map(({ start }) => ({
    line: start.line,
    column: start.column,
  }));
};
