/** Findings for people: what is wrong first, each with what to do. */
import type { Finding, Severity } from './finding.ts';

const ORDER: readonly Severity[] = ['error', 'warning', 'info', 'ok'];
const WIDTH = 9;

export const printFindings = (findings: readonly Finding[]): string => {
  const sorted = findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const count = (severity: Severity): number => findings.filter((one) => one.severity === severity).length;
  return `${sorted.map(linesOf).join('')}\n${numbered(count('error'), 'error')}, ${numbered(count('warning'), 'warning')}\n`;
};

const linesOf = ({ severity, object, message, hint }: Finding): string => {
  const first = `${severity.padEnd(WIDTH)}${plain(object)}: ${plain(message)}\n`;
  return hint === null ? first : `${first}${' '.repeat(WIDTH)}${plain(hint)}\n`;
};

const numbered = (count: number, what: string): string => `${String(count)} ${what}${count === 1 ? '' : 's'}`;

/** Messages of conditions come from whoever wrote the object. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
