export * from './identifiers';
export * from './limits';
export * from './errors';
export * from './changes';
export * from './commands';
export * from './reads';
export * from './log-entry';
