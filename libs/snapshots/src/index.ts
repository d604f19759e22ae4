export { Archive, openArchive, partName, type OpenArchiveOptions } from './archive';
export { DEFLATE_OPTIONS, type Compression } from './compression';
export { SnapshotCorruption, SnapshotFormatUnsupported } from './errors';
export { MANIFEST_FORMAT_VERSION, readManifest } from './manifest';
export { PART_FORMAT_VERSION, type PartTrailer } from './part-format';
export { readPart, type ReadPartOptions } from './read-part';
export { completed, type DiskDone, type SnapshotDisk, type SnapshotFile } from './snapshot-disk';
