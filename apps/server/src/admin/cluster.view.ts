import { ApiProperty } from '@nestjs/swagger';

/** A node of the cluster. */
export class ClusterNodeView {
  @ApiProperty({ example: 'node-1' })
  node_id!: string;

  @ApiProperty({ example: 'us-west-2' })
  region!: string;

  @ApiProperty({
    example: 'http://127.0.0.1:8081',
    description: 'Where the node answers clients, as it says itself; empty until it has said so',
  })
  http_url!: string;

  @ApiProperty({ example: true, description: 'Whether it answered the node that was asked, within a second' })
  alive!: boolean;
}

/** A member of a replication group. */
export class GroupMemberView {
  @ApiProperty({ example: 'node-1' })
  node_id!: string;

  @ApiProperty({
    enum: ['leader', 'follower', 'learner', 'candidate', 'pre_candidate'],
    example: 'leader',
    description:
      'As the member says itself; for one that does not answer follower or learner, as the configuration makes it',
  })
  role!: string;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: 42,
    description: 'Up to where its log is known to match; only a leader knows, so null without one',
  })
  match_index!: number | null;
}

/** A replication group. */
export class ClusterGroupView {
  @ApiProperty({
    type: 'integer',
    example: 1,
    description: '0 is the group that remembers the cluster itself',
  })
  group_id!: number;

  @ApiProperty({
    type: [String],
    nullable: true,
    example: null,
    description: 'Regions that may hold it; null: any',
  })
  regions!: readonly string[] | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'node-1',
    description: 'null: nobody that answers leads it',
  })
  leader!: string | null;

  @ApiProperty({ type: 'integer', example: 2 })
  term!: number;

  @ApiProperty({
    type: 'integer',
    example: 42,
    description: "The leader's; without one the highest that is known",
  })
  commit_index!: number;

  @ApiProperty({
    type: 'integer',
    example: 42,
    description: "The leader's; without one the highest that is known",
  })
  applied_index!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: 3,
    description: 'Voters that it should have; null for the group of the cluster itself',
  })
  replicas!: number | null;

  @ApiProperty({ example: false, description: 'Whether fewer of its voters are alive than it should have' })
  under_replicated!: boolean;

  @ApiProperty({
    type: [String],
    example: [],
    description: 'What is still to be done until it is held by the nodes that should hold it',
  })
  repair!: readonly string[];

  @ApiProperty({ type: 'integer', example: 0, description: 'Configured namespaces that it serves' })
  namespaces!: number;

  @ApiProperty({ type: [GroupMemberView] })
  members!: readonly GroupMemberView[];
}

/** The cluster as the node that is asked can see it now. */
export class ClusterView {
  @ApiProperty({ example: '6f1c0a7de3b94c52a8d07f10c39be245' })
  cluster_id!: string;

  @ApiProperty({ example: 'node-1', description: 'The node that answers' })
  node_id!: string;

  @ApiProperty({ example: 'us-west-2', description: 'Its region' })
  region!: string;

  @ApiProperty({ type: [ClusterNodeView] })
  nodes!: readonly ClusterNodeView[];

  @ApiProperty({ type: [ClusterGroupView] })
  groups!: readonly ClusterGroupView[];
}

/** What a new node is started with. */
export class NewNodeView {
  @ApiProperty({ type: String, nullable: true, example: 'node-4', description: 'As it was asked for' })
  node_id!: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { NODE_ID: 'node-4', CLUSTER_JOIN: '10.0.0.1:7400,10.0.0.2:7400' },
    description: 'Variables to start the new node with',
  })
  environment!: Readonly<Record<string, string>>;

  @ApiProperty({
    type: [String],
    example: ['CLUSTER_SECRET'],
    description: 'Variables that must be the same as on the other nodes; their values are never answered',
  })
  same_as_here!: readonly string[];

  @ApiProperty({ example: 'Start a node with these variables: it asks to be let in by itself.' })
  detail!: string;
}

/** A removal that has begun. */
export class RemovedNodeView {
  @ApiProperty({ example: 'node-3' })
  node_id!: string;

  @ApiProperty({
    enum: ['leaving', 'removed'],
    example: 'leaving',
    description: 'leaving: it gives up its replicas; it is gone from GET /admin/cluster when that is done',
  })
  state!: string;
}

/** A leader that was asked to hand over. */
export class TransferView {
  @ApiProperty({ type: 'integer', example: 1 })
  group_id!: number;

  @ApiProperty({ example: 'node-2', description: 'Who was asked for; GET /admin/cluster says who leads' })
  node_id!: string;
}
