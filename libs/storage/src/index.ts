export { FolderInUse, type FolderLock, isKnownInUse, lockFolder, lockUntouched } from './folder-lock';
export { IDENTITY_FILES, IdentityFile } from './identity-file';
export { UnknownFolderFormat } from './generation-pointer';
export { RocksStateStore } from './rocks-state-store';
export { RocksStateViews } from './rocks-state-views';
export { RocksStateStores, type RocksStateStoresOptions } from './rocks-state-stores';
export { StateStoreFailure } from './rocks-error';
export { DEFAULT_STATE_MEMORY, type StateMemory } from './rocks-options';
