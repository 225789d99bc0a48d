/** jest's Node environment, made to judge errors and to measure child processes as plain Node would. */
const { TestEnvironment } = require('jest-environment-node');

module.exports = class NodeLikeEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    // A test file has an `Error` of its own, and Node's own errors (ENOENT, ECONNREFUSED) are not instances of that one.
    // Only `Error` itself is widened: a subclass still asks for its own instances.
    const OwnError = this.global.Error;
    Object.defineProperty(OwnError, Symbol.hasInstance, {
      value(value) {
        return this === OwnError ? Error.isError(value) : Function.prototype[Symbol.hasInstance].call(this, value);
      },
    });
    // Set too late for this process, whose code jest itself measures, and in time for the processes that tests start.
    if (process.env.TOLLGATE_PROCESS_COVERAGE) process.env.NODE_V8_COVERAGE = process.env.TOLLGATE_PROCESS_COVERAGE;
  }
};
