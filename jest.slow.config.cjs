/** Faults at length: whole processes for minutes, in `.ci/run` only. */
module.exports = {
  ...require('./jest.e2e.config.cjs'),
  roots: ['<rootDir>/e2e/slow'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 300_000,
};
