export * from './ports';
export * from './engine';
