/** The pool in Redis, for servers that share one. The proxy does not load it. */
export { DIALECT, makeLibrary, type Library } from './library.ts';
export { openRecallChannel, type RecallChannelOptions, type RedisRecallChannel } from './recall-channel.ts';
export { RedisUnsuitable } from './redis-fault.ts';
export { openRedisPoolState, type RedisPoolState, type RedisPoolStateOptions } from './redis-pool-state.ts';
