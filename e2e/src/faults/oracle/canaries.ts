/** Looks for each secret of a round in every byte that the processes wrote: plain, in base64, in hex, in a URL, and in parts. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Rig } from '../rig/rig.ts';

/** Any so many bytes of a secret in a row are a leak. */
const WINDOW = 12;
/** Where the rig itself put them, and what holds no text of ours. */
const OWN = /^(token|proxy-[0-9]+\.token|programs\/|postgres\/)/;

export const findCanaries = async (rig: Rig): Promise<readonly string[]> => {
  const { folder, postgres, database, redis, secrets } = rig;
  const texts: { readonly name: string; readonly bytes: Buffer }[] = [];
  for (const file of filesIn(folder)) {
    const name = relative(folder, file);
    if (!OWN.test(name)) texts.push({ name, bytes: readFileSync(file) });
  }
  texts.push({ name: 'the dump of PostgreSQL', bytes: await postgres.dump(database) });
  for (const each of redis === null ? [] : [redis.primary(), redis.spare()]) {
    if (await each.isUp()) texts.push({ name: 'the dump of Redis', bytes: await each.dump() });
  }
  const faults: string[] = [];
  for (const [secret, value] of Object.entries(secrets)) {
    const forms = formsOf(String(value));
    for (const { name, bytes } of texts) {
      const form = forms.find(({ needle }) => bytes.includes(needle));
      if (form !== undefined) faults.push(`the canary '${secret}' is in ${name} (${form.name})`);
    }
  }
  return faults;
};

interface Form {
  readonly name: string;
  readonly needle: Buffer;
}

const formsOf = (secret: string): readonly Form[] => {
  const windows = Array.from({ length: secret.length - WINDOW + 1 }, (_, at) => ({
    name: 'in part',
    needle: Buffer.from(secret.slice(at, at + WINDOW)),
  }));
  // By where it starts within a group of three bytes; the first and last letters depend on what stands beside it.
  const base64 = [0, 1, 2].map((lead) => ({
    name: 'base64',
    needle: Buffer.from(
      Buffer.from(`${'x'.repeat(lead)}${secret}`)
        .toString('base64')
        .slice(4, -4),
    ),
  }));
  const hex = Buffer.from(secret).toString('hex');
  return [
    ...windows,
    ...base64,
    { name: 'hex', needle: Buffer.from(hex) },
    { name: 'hex', needle: Buffer.from(hex.toUpperCase()) },
  ];
};

function* filesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) {
      // PostgreSQL's own files belong to it; its dump is read instead.
      if (entry !== 'postgres') yield* filesIn(path);
    } else if (stat?.isFile() === true) yield path;
  }
}
