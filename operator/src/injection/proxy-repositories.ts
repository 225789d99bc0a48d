/** Where images of the proxy come from: the present repository, mirrors of it, and those that came before it. */
import { imageName } from './image-name.ts';
import type { InjectionSettings } from './settings.ts';

export const proxyRepositories = ({
  proxyImage,
  imageMirrors,
}: Pick<InjectionSettings, 'proxyImage' | 'imageMirrors'>): readonly string[] => [
  imageName(proxyImage).repository,
  ...imageMirrors,
];
