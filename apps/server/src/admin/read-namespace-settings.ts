import { type FieldError, LIMITS, StateError } from '#contracts';
import type { NamespaceSettings } from '#replication';
import { type FieldRule, ObjectFields } from '../api/object-fields';
import { SETTING_MAX } from './namespace-settings.dto';
import { whyNotIndexes, whyNotReadReplicas, whyNotRegions } from './namespace-constraints';

const FIELDS = new ObjectFields({
  regions: whyNotRegions,
  replicas: wholeNumber(1, LIMITS.placementReplicas),
  read_replicas: whyNotReadReplicas,
  max_qps: wholeNumber(1, SETTING_MAX),
  max_bytes: wholeNumber(1, SETTING_MAX),
  history_retention_seconds: wholeNumber(0, SETTING_MAX),
  history_retention_commits: wholeNumber(0, SETTING_MAX),
  indexes: whyNotIndexes,
});

/** What is wrong with settings; empty when nothing is. */
export function namespaceSettingsErrors(body: unknown): readonly FieldError[] {
  return FIELDS.errors(body);
}

/** The settings of a body, checked by the rules of `NamespaceSettingsDto`; what is absent or null is left open. */
export function readNamespaceSettings(body: unknown): NamespaceSettings {
  const fields = FIELDS.read(body) as {
    regions?: readonly string[] | null;
    replicas?: number | null;
    read_replicas?: Readonly<Record<string, number>> | null;
    max_qps?: number | null;
    max_bytes?: number | null;
    history_retention_seconds?: number | null;
    history_retention_commits?: number | null;
    indexes?: readonly string[] | null;
  };
  const regions = fields.regions ?? undefined;
  const readReplicas = { ...fields.read_replicas };
  const outside = Object.keys(readReplicas).filter((region) => regions?.includes(region) === false);
  if (outside.length > 0) {
    const errors = outside.map((region) => ({
      field: `read_replicas.${region}`,
      reason: 'is not one of the regions',
    }));
    const detail = errors.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
    throw new StateError('invalid_request', detail, { errors });
  }
  return {
    regions,
    replicas: fields.replicas ?? undefined,
    readReplicas,
    maxQps: fields.max_qps ?? undefined,
    maxBytes: fields.max_bytes ?? undefined,
    retention: {
      seconds: fields.history_retention_seconds ?? undefined,
      commits: fields.history_retention_commits ?? undefined,
    },
    indexes: fields.indexes ?? [],
  };
}

function wholeNumber(low: number, high: number): FieldRule {
  return (value) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? undefined
      : `must be a whole number from ${low} to ${high}`;
}
