import { encodeCommand } from '#codec';
import {
  memberId,
  type CommitSeq,
  type GroupId,
  type LogIndex,
  type MemberId,
  type Term,
  type WriteCommand,
} from '#contracts';
import { ApplyBatch, readApplied, skipPositions, type Digest } from '#state-machine';
import type { FoundingMember } from '../identity';
import { Directory } from '../meta/directory';
import { META_NAMESPACES, groupBody, nodeBody } from '../meta/documents';
import type { StateStore } from '../ports';
import { CONF_STATE_KEY, INSTALLED_KEY, encodeConfState, encodeInstalled } from '../replica-rows';

/** Who a restored node is: the only member of a cluster that begins with it. */
export interface RestoredSelf extends Omit<FoundingMember, 'member'> {
  /** Its number before, if it had one. */
  readonly member: MemberId | undefined;
}

/**
 * Makes the restored meta group that of a cluster of one: every other node is removed for good, and this one holds
 * every group. Gives the number that this node has from now on. Numbers of nodes that were there before are not
 * given out again.
 */
export function takeOverMeta(
  store: StateStore,
  self: RestoredSelf,
  on: { readonly digest: Digest; readonly timeMs: number },
): MemberId {
  const directory = new Directory();
  directory.refresh(store);
  const known = directory.activeByName(self.name);
  if (directory.nodes.size === 0) return self.member ?? memberId(1);
  const member = known?.member ?? memberId(Math.max(...directory.nodes.keys()) + 1);
  const nodes = [...directory.nodes.values()]
    .filter((node) => node.member !== member && node.state !== 'removed')
    .map((node) => ({ ...node, state: 'removed' as const }));
  const own = { ...self, member, httpUrl: '', state: 'active' as const };
  const commands: WriteCommand[] = [
    write(
      META_NAMESPACES.nodes,
      [own, ...nodes].map((node) => [String(node.member), nodeBody(node)]),
    ),
  ];
  const groups = [...directory.groups.values()].map((group): readonly [string, string] => [
    String(group.group),
    groupBody({ ...group, voters: [member], learners: [] }),
  ]);
  if (groups.length > 0) commands.push(write(META_NAMESPACES.groups, groups));
  const { appliedIndex, appliedTerm } = readApplied(store);
  const batch = new ApplyBatch(store, on.digest);
  for (const [at, command] of commands.entries()) {
    const index = (appliedIndex + 1 + at) as LogIndex;
    const { outcome } = batch.apply(index, appliedTerm, encodeCommand(command, on.timeMs));
    if (outcome.kind === 'rejected') throw new Error(`a restored document was refused: ${outcome.detail}`);
  }
  store.write(batch.finish());
  return member;
}

/** Where a restored group's log begins. */
export interface RestoredGroup {
  readonly group: GroupId;
  readonly index: LogIndex;
  readonly term: Term;
  readonly commitSeq: CommitSeq;
}

/**
 * Ends the restore of one group's state, which must have its documents already: the node is its only member, and the
 * next position is beyond `lastSeq`, the last one that may ever have been given out. History before it counts as
 * gone, because those who saw more of it than was restored must be told so.
 */
export function beginAlone(
  store: StateStore,
  group: GroupId,
  options: { readonly member: MemberId; readonly lastSeq: CommitSeq },
): RestoredGroup {
  const { member, lastSeq } = options;
  const configuration = {
    voters: [member],
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const { appliedIndex: index, appliedTerm: term, commitSeq: restoredTo } = readApplied(store);
  // One position is left out even if nothing is known to be missing: else whoever saw the last one would go on in
  // silence.
  const commitSeq = (Math.max(restoredTo, lastSeq) + 1) as CommitSeq;
  store.write({
    puts: [
      skipPositions(store, commitSeq),
      [CONF_STATE_KEY, encodeConfState(configuration)],
      [INSTALLED_KEY, encodeInstalled(index)],
    ],
    deletes: [],
  });
  return { group, index, term, commitSeq };
}

function write(ns: string, documents: readonly (readonly [id: string, bodyJson: string])[]): WriteCommand {
  const operations = documents.map(
    ([id, bodyJson]) => ({ op: 'put', id, type: 'object', bodyJson, tags: {}, parents: [] }) as const,
  );
  return { kind: 'write', ns, operations };
}
