import { StateError, commitSeq, memberId, type MemberId, type NodeName } from '#contracts';
import { decodeBody, encodeBody, type JoinAnswer, type JoinQuestion } from '../cluster-bodies';
import { Admission } from './admission';
import type { Versioned } from './directory';
import type { NodeDocument } from './documents';

const document = (member: number, state: NodeDocument['state'] = 'active'): Versioned<NodeDocument> => ({
  member: memberId(member),
  name: `node-${member}` as NodeName,
  region: 'r',
  host: 'h',
  port: 7400,
  httpUrl: '',
  incarnation: `disk-${member}`,
  state,
  version: commitSeq(member),
});

/** A leader of the meta group, node 1 of three, with links to those of `connected`. */
function leader(connected: readonly number[]): { admission: Admission; written: NodeDocument[][] } {
  const nodes = new Map(
    [1, 2, 3].map((member) => [memberId(member), document(member, member === 3 ? 'removed' : 'active')]),
  );
  const written: NodeDocument[][] = [];
  const admission = new Admission({
    clusterId: 'c',
    member: memberId(1),
    driver: { get: () => undefined },
    directory: {
      nodes,
      activeByName: (name) =>
        [...nodes.values()].find((node) => node.name === name && node.state !== 'removed'),
    },
    writer: { leads: true, writeNodes: (documents) => Promise.resolve(void written.push([...documents])) },
    network: {
      connected: (member: MemberId) => connected.includes(member),
      request: () => Promise.reject(new Error('nobody to ask')),
    },
  });
  return { admission, written };
}

const question = (name: string, incarnation: string, region = 'r'): Uint8Array => {
  const asked: JoinQuestion = {
    name: name as NodeName,
    incarnation,
    region,
    host: 'h',
    port: 1,
    httpUrl: '',
  };
  return encodeBody(asked);
};
const memberOf = (answer: Uint8Array): number => decodeBody<JoinAnswer>(answer, { member: 'number' }).member;

describe('a node that asks to be let in', () => {
  test('gets a member id that nobody had, not even one that was removed', async () => {
    const { admission, written } = leader([2]);
    expect(memberOf(await admission.admit(question('node-9', 'new')))).toBe(4);
    expect(written).toEqual([[expect.objectContaining({ member: 4, name: 'node-9', state: 'active' })]]);
  });

  test('gets the same id when it asks again', async () => {
    const { admission, written } = leader([2]);
    expect(memberOf(await admission.admit(question('node-2', 'disk-2')))).toBe(2);
    expect(written).toEqual([]);
  });

  test('with another disk replaces the old one, in the same write', async () => {
    const { admission, written } = leader([]);
    expect(memberOf(await admission.admit(question('node-2', 'new')))).toBe(4);
    expect(written[0]?.map(({ member, state }) => [member, state])).toEqual([
      [4, 'active'],
      [2, 'removed'],
    ]);
  });

  test('of another region does not replace the old one', async () => {
    const { admission, written } = leader([]);
    await expect(admission.admit(question('node-2', 'new', 'elsewhere'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('of the region r, not elsewhere') as string,
    });
    expect(written).toEqual([]);
  });

  test.each([
    ['a node that is connected', 'node-2', [2]],
    ['the node that leads, to which no link exists', 'node-1', [2]],
  ])('under the name of %s is refused', async (_, name, connected) => {
    const { admission, written } = leader(connected);
    await expect(admission.admit(question(name, 'new'))).rejects.toBeInstanceOf(StateError);
    expect(written).toEqual([]);
  });
});
