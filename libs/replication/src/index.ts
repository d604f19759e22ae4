export * from './ports';
export * from './engine';
export { StateCorruption } from './state-corruption';
