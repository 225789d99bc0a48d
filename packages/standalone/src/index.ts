export { StandaloneError, type StandaloneErrorCode } from './standalone-error.ts';
