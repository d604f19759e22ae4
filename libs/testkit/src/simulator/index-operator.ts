import { StateError } from '#contracts';
import { DEFAULT_GROUP, NO_SETTINGS } from '#replication';
import { allFieldIndexes } from '#state-machine';
import { checkIndexes, type IndexSights } from './index-rule';
import type { SeededStream } from './random';
import type { SimHost } from './sim-host';
import { BATCHES, OBJECTS, type World } from './world';

/** Places in the bodies that clients write; not all of them are in each. */
export const INDEXED_PLACES = ['$.by', '$.n', '$["size"]', '$.nowhere'] as const;

const MEAN_CHANGE_MS = 800;
/** About as long after a change as it takes until the build is under way. */
const MEAN_LOOK_MS = 150;
const NAMESPACES = [OBJECTS, BATCHES];

/**
 * An operator who changes what is indexed while clients write and builds are under way, and looks a little
 * later each time at the indexes of one node's replicas.
 */
export class IndexOperator {
  readonly sights: IndexSights = { queries: 0, halfBuilt: 0 };
  private active = true;

  constructor(
    private readonly world: World,
    private readonly random: SeededStream,
  ) {}

  start(): void {
    this.plan();
  }

  /** No more changes; builds go on. */
  end(): void {
    this.active = false;
  }

  /** Some of the places, as an operator may choose them. */
  static somePlaces(random: SeededStream): readonly string[] {
    return INDEXED_PLACES.filter(() => random.chance(0.5));
  }

  /** Whether each of these nodes has, of every namespace, the indexes that are set, complete, and no others. */
  isSettled(members: readonly SimHost[]): boolean {
    return members.every((host) => {
      const store = host.openStores.get(DEFAULT_GROUP);
      if (!host.isUp || store === undefined) return true;
      const known = allFieldIndexes(store);
      return NAMESPACES.every((ns) => {
        const set = host.node!.directory.namespaces.get(ns)?.settings.indexes ?? [];
        const indexes = known.get(ns) ?? [];
        return indexes.length === set.length && indexes.every(({ state }) => state === 'ready');
      });
    });
  }

  /** Looks at the indexes of these nodes; throws on what is wrong. */
  check(members: Iterable<SimHost>): void {
    for (const host of members) {
      if (!host.isUp) continue;
      for (const [group, store] of host.openStores)
        checkIndexes(`node ${host.member}, group ${group}`, store, this.sights);
    }
  }

  private plan(): void {
    const { world, random } = this;
    world.scheduler.after(random.between(0, 2 * MEAN_CHANGE_MS), 'an operator of indexes', () => {
      if (!this.active) return;
      this.plan();
      const up = [...world.hosts.values()].filter(({ isUp }) => isUp);
      const ns = random.pick(NAMESPACES);
      const indexes = IndexOperator.somePlaces(random);
      if (up.length === 0) return;
      this.set(random.pick(up), ns, indexes);
      const looked = random.pick(up);
      world.scheduler.after(random.between(0, 2 * MEAN_LOOK_MS), 'a look at indexes', () =>
        world.afterStep(() => this.check([looked])),
      );
    });
  }

  private set(host: SimHost, ns: string, indexes: readonly string[]): void {
    const { world } = this;
    world.note(`${ns} is to have indexes of ${indexes.join(' ') || 'nothing'}, says node ${host.member}`);
    const { life } = host;
    host.node!.engine.namespaces.set(ns, { ...NO_SETTINGS, indexes }).catch((error: unknown) => {
      if (!(error instanceof StateError) && life?.alive === true) world.broken(error);
    });
  }
}
