/** Whether a proxy is of the image that new pods get, also where another webhook rewrites images to a mirror. Pure. */
import { imageName, type InjectionSettings } from '@tollgate/operator/injection';

export const isCurrentImage = (
  image: string,
  { proxyImage, imageMirrors }: Pick<InjectionSettings, 'proxyImage' | 'imageMirrors'>,
): boolean => {
  if (image === proxyImage) return true;
  const { repository, version } = imageName(image);
  return version === imageName(proxyImage).version && imageMirrors.includes(repository);
};
