/** `make images`: the bundles as container images, each with its bill of materials. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gitDescribe, packageVersion, versionStamp } from '../bundle.ts';
import { billOfMaterials } from './bill-of-materials.ts';
import { copiedFiles, imageReference, IMAGES, type ImageSource } from './image-list.ts';
import { pickBuilder, type ImageBuilder } from './image-builder.ts';

const ROOT = join(import.meta.dirname, '../../../..');

const makeImage = (builder: ImageBuilder, image: ImageSource, tag: string): void => {
  mkdirSync(join(ROOT, 'dist/images'), { recursive: true });
  const bill = join('dist/images', `${image.name}.spdx.json`);
  writeFileSync(join(ROOT, bill), billOfMaterials(ROOT, image.package));
  const files = copiedFiles(readFileSync(join(ROOT, image.dockerfile), 'utf8'));
  const bytes = files.reduce((sum, file) => sum + statSync(join(ROOT, file)).size, 0);
  if (bytes > image.mostBytes) {
    throw new Error(
      `it copies ${String(bytes)} bytes, and may have ${String(image.mostBytes)}: see what the bundle grew by`,
    );
  }
  const describe = gitDescribe(ROOT);
  const reference = imageReference(image.name, tag);
  builder.build({
    dockerfile: image.dockerfile,
    reference,
    buildArgs: { VERSION: versionStamp(packageVersion(ROOT), describe), REVISION: describe ?? 'unknown' },
  });
  process.stdout.write(`${reference.padEnd(40)} ${(bytes / 1e6).toFixed(1).padStart(5)} MB on its base, ${bill}\n`);
};

const makeImages = (): number => {
  // IMAGE_TAG and IMAGE_BASE are for a release, which has a version and a registry.
  const tag = process.env['IMAGE_TAG'] ?? 'dev';
  const builder = pickBuilder(ROOT, process.env['IMAGE_BASE']);
  process.stdout.write(`built with ${builder.name} on ${builder.base ?? 'the base that each Dockerfile names'}\n`);
  let failed = 0;
  for (const image of IMAGES) {
    try {
      makeImage(builder, image, tag);
    } catch (error) {
      failed += 1;
      process.stderr.write(`images: ${image.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return failed === 0 ? 0 : 1;
};

try {
  process.exitCode = makeImages();
} catch (error) {
  process.stderr.write(`images: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
