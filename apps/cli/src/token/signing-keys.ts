import { readFileSync } from 'node:fs';
import { CommandFailure, UsageError } from '../terminal';

/** A shared secret that signs tokens, and the name that a token's header gives it. */
export interface SigningKey {
  readonly kid: string;
  readonly secret: Buffer;
}

const MINIMUM_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

export interface KeyOptions {
  readonly key?: string;
  readonly kid?: string;
}

/** Every key at hand, the active one first: from the options, or the variables that the server itself reads. */
export function signingKeys(options: KeyOptions, environment: NodeJS.ProcessEnv): readonly SigningKey[] {
  if (options.key !== undefined) {
    return [{ kid: options.kid ?? 'active', secret: decode(options.key, '--key') }];
  }
  const found = [
    { name: 'CAP_KEY_ACTIVE', idName: 'CAP_KEY_ACTIVE_ID', defaultId: 'active' },
    { name: 'CAP_KEY_NEXT', idName: 'CAP_KEY_NEXT_ID', defaultId: 'next' },
  ].flatMap(({ name, idName, defaultId }): SigningKey[] => {
    const text = variable(environment, name);
    if (text === undefined) return [];
    return [{ kid: variable(environment, idName) ?? defaultId, secret: decode(text, name) }];
  });
  return options.kid === undefined ? found : found.filter(({ kid }) => kid === options.kid);
}

/** The key that new tokens are signed with. */
export function mintingKey(options: KeyOptions, environment: NodeJS.ProcessEnv): SigningKey {
  const [key] = signingKeys(options, environment);
  if (key !== undefined) return key;
  throw new CommandFailure(
    options.kid === undefined
      ? 'there is no key to sign with. Set CAP_KEY_ACTIVE (or CAP_KEY_ACTIVE_FILE) to the key that the server ' +
          'has, for instance: export CAP_KEY_ACTIVE="$(openssl rand -base64 32)"'
      : `no key at hand is called ${JSON.stringify(options.kid)}: see CAP_KEY_ACTIVE_ID and CAP_KEY_NEXT_ID`,
  );
}

/** A variable, or the file that `…_FILE` names. Empty counts as unset. */
function variable(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const file = environment[`${name}_FILE`];
  if (!file) return environment[name] || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new CommandFailure(`${name}_FILE names a file that cannot be read`);
  }
}

/** The text is never repeated in a message: it is a secret even when it is malformed. */
function decode(text: string, source: string): Buffer {
  const secret = Buffer.from(text, 'base64');
  if (!BASE64.test(text) || secret.length < MINIMUM_BYTES) {
    throw new UsageError(
      `${source} must be base64 of at least ${MINIMUM_BYTES} bytes. Make one with: openssl rand -base64 32`,
    );
  }
  return secret;
}
