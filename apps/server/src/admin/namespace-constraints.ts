import { ValidatorConstraint } from 'class-validator';
import { LIMITS } from '#contracts';
import { isSamePath, parseSingularPath, type SingularPath } from '#state-machine';
import { ReasonConstraint } from '../api/reason-constraint';
import { whyNotAName } from './node-name';

/** What is wrong with the regions of a pin, or `undefined`. */
export function whyNotRegions(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'must be a list of regions, or null for any';
  if (value.length === 0) return 'must name at least one region; null is for any';
  if (value.length > LIMITS.placementRegions) return `must be at most ${LIMITS.placementRegions}`;
  if (new Set(value).size !== value.length) return 'must not name a region twice';
  const reason = value.map(whyNotAName).find((why) => why !== undefined);
  return reason && `each ${reason}`;
}

/** What is wrong with numbers of replicas by region, or `undefined`. */
export function whyNotReadReplicas(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'must be an object of numbers by region';
  const entries = Object.entries(value);
  if (entries.length > LIMITS.placementRegions) return `must be at most ${LIMITS.placementRegions} regions`;
  for (const [region, count] of entries) {
    if (whyNotAName(region) !== undefined) return `each key ${whyNotAName(region)}`;
    const isCount = Number.isInteger(count) && count >= 1 && count <= LIMITS.placementReplicas;
    if (!isCount) return `must have whole numbers from 1 to ${LIMITS.placementReplicas} as values`;
  }
  return undefined;
}

/** What is wrong with the places that are to be indexed, or `undefined`. */
export function whyNotIndexes(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'must be a list of JSONPaths, or null for none';
  if (value.length > LIMITS.fieldIndexes) return `must be at most ${LIMITS.fieldIndexes}`;
  const paths: SingularPath[] = [];
  for (const text of value as readonly unknown[]) {
    if (typeof text !== 'string') return 'must have strings as values';
    if (text.length > LIMITS.fieldIndexPathCharacters)
      return `must have at most ${LIMITS.fieldIndexPathCharacters} characters in each path`;
    const parsed = parseSingularPath(text);
    if (parsed.kind === 'malformed')
      return `${text} is no singular JSONPath: at character ${parsed.at}, ${parsed.reason}`;
    if (paths.some((path) => isSamePath(path, parsed.path))) return `must not name ${text} twice`;
    paths.push(parsed.path);
  }
  return undefined;
}

@ValidatorConstraint({ name: 'regions' })
export class RegionsConstraint extends ReasonConstraint {
  protected reason = whyNotRegions;
}

@ValidatorConstraint({ name: 'readReplicas' })
export class ReadReplicasConstraint extends ReasonConstraint {
  protected reason = whyNotReadReplicas;
}

@ValidatorConstraint({ name: 'indexes' })
export class IndexesConstraint extends ReasonConstraint {
  protected reason = whyNotIndexes;
}
