/** The door for what `/v1/instances` lists. */
import type { InstanceLine } from '../format/instance-table.ts';
import { fieldOf, listOf, numberOf, textOf } from './unresolved.ts';

export const instancesFrom = (answer: unknown): readonly InstanceLine[] =>
  listOf(answer, 'instances').map((row) => {
    const subject = fieldOf(row, 'subject');
    const version = fieldOf(row, 'version');
    return {
      instance: textOf(row, 'instance'),
      version: typeof version === 'string' ? version : '-',
      subject: typeof subject === 'object' && subject !== null ? subjectText(subject) : '-',
      helloAt: numberOf(row, 'helloAt') ?? 0,
      epochs: listOf(row, 'epochs').length,
    };
  });

const subjectText = (subject: object): string => {
  const pod = fieldOf(subject, 'pod');
  const workload = `${textOf(subject, 'namespace')}/${textOf(subject, 'workload')}`;
  return typeof pod === 'string' ? `${workload} (${pod})` : workload;
};
