/** A real Redis for integration tests, also of other packages. No product code imports it. */
export { makeRedisWorld } from './redis-world.ts';
export { libraryWithClock, openRedisHand, type RedisHand } from './moved-clock.ts';
export { startRedis, type TestRedis, type TestRedisOptions } from './start-redis.ts';
