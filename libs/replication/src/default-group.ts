import { groupId } from '#contracts';

/** The group of every namespace that nobody placed elsewhere. */
export const DEFAULT_GROUP = groupId(1);
