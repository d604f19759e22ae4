import { FileWatch, capabilityKeyFiles, readCapabilityKeys } from '../config';
import type { Logger } from '../logging';
import type { Authorizer } from './authorizer';

/**
 * Takes keys into use when the files that they came from change: keys rotate without a restart. What cannot be used
 * is logged, and the keys in use stay. Watch streams that began under a key that is gone live on until their token
 * ends. Returns how to stop.
 */
export function followKeyFiles(
  environment: NodeJS.ProcessEnv,
  authorizer: Authorizer,
  logger: Logger,
): () => void {
  const files = capabilityKeyFiles(environment);
  if (files.length === 0) return () => undefined;
  const watch = new FileWatch(files);
  watch.start(() => {
    try {
      const keys = readCapabilityKeys(environment);
      authorizer.useKeys(keys);
      logger.info({ key_ids: keys.map(({ id }) => id) }, 'changed key files are in use');
    } catch (error) {
      const reason = (error as Error).message;
      logger.error({ reason }, 'changed key files cannot be used: the old keys are kept');
    }
  });
  return () => watch.close();
}
