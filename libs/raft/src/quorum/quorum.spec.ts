import type { MemberId } from '#contracts';
import { dataDrivenFiles, type DataDrivenCase, runDataDrivenFile, sharedFolder } from '#testkit';
import * as fc from 'fast-check';
import { simplePosition, simpleVote } from '../../testing/simple-quorum';
import { jointPosition, jointVote } from './joint';
import { majorityPosition, majorityVote } from './majority';

/**
 * Goal: quorums are counted right, joint ones too. Method: the text cases of etcd/raft, and random quorums
 * compared with a second, plain implementation.
 */

const set = (members: readonly MemberId[]): ReadonlySet<MemberId> => new Set(members);

interface QuorumCase {
  readonly incoming: readonly MemberId[];
  readonly outgoing: readonly MemberId[];
  readonly joint: boolean;
  readonly given: ReadonlyMap<MemberId, string>;
  readonly voters: readonly MemberId[];
}

function readCase(testCase: DataDrivenCase): QuorumCase | string {
  const valuesOf = (key: string): readonly string[] =>
    testCase.arguments.filter((argument) => argument.key === key).flatMap((argument) => argument.values);
  const members = (values: readonly string[]): MemberId[] => values.map((value) => Number(value) as MemberId);
  const incoming = members(valuesOf('cfg'));
  const joint = testCase.arguments.some((argument) => argument.key === 'cfgj');
  const outgoing = members(valuesOf('cfgj').filter((value) => value !== 'zero'));
  const voters = [...new Set([...incoming, ...outgoing])];
  const values = valuesOf(testCase.command === 'vote' ? 'votes' : 'idx');
  if (values.length !== voters.length) {
    const known = voters
      .slice()
      .sort((a, b) => a - b)
      .join(' ');
    const votes = values.map((value) => ({ y: 2, n: 1, _: 0 })[value] ?? value);
    return `error: mismatched input (explicit or _) for voters (${known}): [${votes.join(' ')}]`;
  }
  const given = new Map<MemberId, string>();
  voters.forEach((voter, position) => {
    if (values[position] !== '_') given.set(voter, values[position] as string);
  });
  return { incoming, outgoing, joint, given, voters };
}

const VOTE_NAMES = { pending: 'VotePending', won: 'VoteWon', lost: 'VoteLost' } as const;

function describePositions(members: readonly MemberId[], given: ReadonlyMap<MemberId, string>): string {
  if (members.length === 0) return '<empty majority quorum>';
  const count = members.length;
  const rows = [...members]
    .map((member) => ({ member, index: Number(given.get(member) ?? 0), known: given.has(member), bar: 0 }))
    .sort((a, b) => a.index - b.index || a.member - b.member);
  rows.forEach((row, position) => {
    const before = rows[position - 1];
    if (before !== undefined) row.bar = before.index < row.index ? position : before.bar;
  });
  rows.sort((a, b) => a.member - b.member);
  const lines = rows.map(({ member, index, known, bar }) => {
    const plot = known ? `${'x'.repeat(bar)}>${' '.repeat(count - bar)}` : `?${' '.repeat(count)}`;
    return `${plot} ${String(index).padStart(5)}    (id=${member.toString(16)})\n`;
  });
  return `${' '.repeat(count)}    idx\n${lines.join('')}`;
}

const shown = (position: number): string => (position === Infinity ? '∞' : String(position));

function runCommitted(read: QuorumCase): string {
  const positionOf = (member: MemberId): number | undefined => {
    const value = read.given.get(member);
    return value === undefined ? undefined : Number(value);
  };
  const incoming = set(read.incoming);
  const outgoing = set(read.outgoing);
  const empty = set([]);
  const position = read.joint
    ? jointPosition({ incoming, outgoing }, positionOf)
    : majorityPosition(incoming, positionOf);
  const alternatives = read.joint
    ? [jointPosition({ incoming: outgoing, outgoing: incoming }, positionOf)]
    : [
        jointPosition({ incoming, outgoing: empty }, positionOf),
        jointPosition({ incoming, outgoing: incoming }, positionOf),
      ];
  const differing = alternatives.filter((other) => other !== position);
  const warnings = differing.map((other) => `${shown(other)} <-- via another computation\n`).join('');
  const table = describePositions(read.joint ? read.voters : read.incoming, read.given);
  return `${table}${warnings}${shown(position)}\n`;
}

function runVote(read: QuorumCase): string {
  const voteOf = (member: MemberId): boolean | undefined => {
    const value = read.given.get(member);
    return value === undefined ? undefined : value === 'y';
  };
  const incoming = set(read.incoming);
  const outgoing = set(read.outgoing);
  const result = read.joint ? jointVote({ incoming, outgoing }, voteOf) : majorityVote(incoming, voteOf);
  const mirrored = jointVote({ incoming: outgoing, outgoing: incoming }, voteOf);
  const warning = mirrored === result ? '' : `${VOTE_NAMES[mirrored]} <-- via symmetry\n`;
  return `${warning}${VOTE_NAMES[result]}\n`;
}

function runCase(testCase: DataDrivenCase): string {
  const read = readCase(testCase);
  if (typeof read === 'string') return read;
  return testCase.command === 'vote' ? runVote(read) : runCommitted(read);
}

describe("etcd/raft's quorum cases", () => {
  const folder = sharedFolder('raft-testdata/quorum', __dirname);
  if (folder === undefined) {
    it('are left out: there is no folder shared/raft-testdata beside the project', () => undefined);
    return;
  }
  let cases = 0;
  it.each(dataDrivenFiles(folder))('$name', ({ path }) => {
    const { expected, actual } = runDataDrivenFile(path, (testCase) => {
      cases += 1;
      return runCase(testCase);
    });
    expect(actual).toBe(expected);
  });
  it('are all there', () => expect(cases).toBe(127));
});

describe('quorums compared with the plain rules', () => {
  const member = fc.integer({ min: 1, max: 7 }).map((id) => id as MemberId);
  const half = fc.uniqueArray(member, { maxLength: 6 });
  const seed = Number(process.env['SEED'] ?? 20260701);

  it('agree on positions', () => {
    const positions = fc.array(fc.tuple(member, fc.integer({ min: 0, max: 9 }))).map((list) => new Map(list));
    fc.assert(
      fc.property(half, half, positions, (incoming, outgoing, known) => {
        const voters = { incoming: set(incoming), outgoing: set(outgoing) };
        expect(jointPosition(voters, (id) => known.get(id))).toBe(
          simplePosition([incoming, outgoing], known),
        );
      }),
      { seed, numRuns: 1000 },
    );
  });

  it('agree on votes', () => {
    const votes = fc.array(fc.tuple(member, fc.boolean())).map((list) => new Map(list));
    fc.assert(
      fc.property(half, half, votes, (incoming, outgoing, known) => {
        const voters = { incoming: set(incoming), outgoing: set(outgoing) };
        expect(jointVote(voters, (id) => known.get(id))).toBe(simpleVote([incoming, outgoing], known));
      }),
      { seed, numRuns: 1000 },
    );
  });
});
