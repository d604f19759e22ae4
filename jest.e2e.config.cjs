/** Tests of whole processes, on the built program: slow, and one after another because each measures or kills. */
module.exports = {
  ...require('./jest.config.cjs'),
  roots: ['<rootDir>/e2e', '<rootDir>/tools/docs'],
  testMatch: ['**/*.e2e.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/e2e/slow/'],
  maxWorkers: 1,
  testTimeout: 120_000,
};
