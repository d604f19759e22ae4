/** One page, and where the next one begins. */
export interface Page<Item> {
  /** In the order of the listing. */
  readonly items: readonly Item[];
  /** `undefined` on the last page. */
  readonly nextCursor: string | undefined;
}

/** What is asked of a listing. */
export interface PageOptions {
  /** How many items at most, over all pages; default all. */
  readonly limit?: number;
  /** How many items one request asks for, 1 to 1,000; default 100. */
  readonly pageSize?: number;
  /** Where to begin: the `nextCursor` of an earlier page. */
  readonly cursor?: string;
}

type Fetch<Item> = (limit: number, cursor: string | undefined) => Promise<Page<Item>>;

const DEFAULT_PAGE_SIZE = 100;

/**
 * A listing that fetches its pages as they are wanted. Each page is read at a moment of its own: what is written
 * meanwhile may or may not be seen, but nothing comes twice.
 */
export class Pages<Item> implements AsyncIterable<Item> {
  constructor(
    private readonly fetch: Fetch<Item>,
    private readonly options: PageOptions,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for await (const { items } of this.pages()) yield* items;
  }

  /** The same, page by page. */
  async *pages(): AsyncGenerator<Page<Item>, void, undefined> {
    const { pageSize = DEFAULT_PAGE_SIZE, limit = Infinity } = this.options;
    let { cursor } = this.options;
    let left = limit;
    while (left > 0) {
      const page = await this.fetch(Math.min(pageSize, left), cursor);
      left -= page.items.length;
      yield page;
      if (page.nextCursor === undefined) return;
      cursor = page.nextCursor;
    }
  }

  /** Everything at once, in memory. */
  async all(): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages()) items.push(...page.items);
    return items;
  }

  /** The first item; `undefined` when there is none. */
  async first(): Promise<Item | undefined> {
    const page = await this.fetch(1, this.options.cursor);
    return page.items[0];
  }
}
