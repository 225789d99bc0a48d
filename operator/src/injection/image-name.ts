/** Parts of an image's name, as far as one is compared with another. */

export interface ImageName {
  readonly repository: string;
  /** `:tag`, `@digest`, both, or nothing. */
  readonly version: string;
}

/** A colon before the last slash belongs to the registry's port. */
export const imageName = (image: string): ImageName => {
  const at = image.indexOf('@');
  const named = at < 0 ? image : image.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  return { repository, version: image.slice(repository.length) };
};
