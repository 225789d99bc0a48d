/** A report as it was asked for: for people, or whole for programs. */
import { stringify } from 'yaml';
import type { ReportOutput } from './report-options.ts';

export const printReport = (report: object, output: ReportOutput | undefined, forPeople: () => string): string => {
  switch (output) {
    case undefined:
      return forPeople();
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
    case 'yaml':
      return stringify(report, { aliasDuplicateObjects: false });
    default:
      return output satisfies never;
  }
};
