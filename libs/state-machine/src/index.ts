export * from './state-reader';
