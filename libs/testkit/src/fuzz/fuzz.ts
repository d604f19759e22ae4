import { join, relative } from 'node:path';
import { readCorpus } from './corpus';
import { bake, type Recipe } from './mutation';

/** Inputs of one round: between rounds the pool takes in what had outcomes of its own. */
const ROUND_INPUTS = 500;
const DEFAULT_INPUTS = 2_000;
const DEFAULT_SEED = 20_260;
const MAX_BYTES = 4_096;
const MAX_POOL = 400;

export interface FuzzTarget {
  /** What `npm run fuzz -- NAME` calls it, and the name of its folder in `corpus`. */
  readonly name: string;
  /** Folder of the library's corpora. */
  readonly corpus: string;
  /** Inputs to begin from beside the corpus, for instance golden bytes. */
  readonly seeds?: readonly Uint8Array[];
  /** Pieces of the format's own language, which bytes at random would hardly ever hit. */
  readonly words?: readonly Uint8Array[];
  /** Longest input; 4 KiB by default. */
  readonly maxBytes?: number;
  /** How many inputs a run without a time has. */
  readonly inputs?: number;
  /**
   * Throws when the input breaks a rule. Answers in a few words what became of it: an input with an answer that was
   * not seen before is a place to go on from, which leads the search into the parser's corners.
   */
  readonly judge: (input: Uint8Array) => string | Promise<string>;
}

export interface FuzzReport {
  readonly inputs: number;
  /** How often each answer of the judge was given. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** The longest that a target may take in this run, for the test's own limit. */
export function fuzzDeadlineMs(): number {
  return 120_000 + 1_000 * secondsAsked();
}

/**
 * Tries the corpus, then changes of it. Without `AGENTSTATE_FUZZ_SECONDS` the inputs are as many as the target says
 * and the same every time; with it they go on for that long from a new seed, or from `AGENTSTATE_FUZZ_SEED`.
 * Rejects with an error that has the seed, the shrunk input as hex, and where to keep it.
 */
export async function fuzz(target: FuzzTarget): Promise<FuzzReport> {
  const seconds = secondsAsked();
  const firstSeed = seedAsked() ?? (seconds > 0 ? Math.floor(Math.random() * 0x7fff_ffff) : DEFAULT_SEED);
  const campaign = new Campaign(target, firstSeed);
  await campaign.replay();
  const startedMs = Date.now();
  const wanted = target.inputs ?? DEFAULT_INPUTS;
  const goesOn = (): boolean =>
    seconds > 0 ? Date.now() - startedMs < 1_000 * seconds : campaign.inputs < wanted;
  for (let seed = firstSeed; goesOn(); seed++) await campaign.round(seed);
  if (seconds > 0) process.stdout.write(`${campaign.summary(Date.now() - startedMs)}\n`);
  return campaign;
}

class Campaign implements FuzzReport {
  inputs = 0;
  readonly outcomes = new Map<string, number>();
  private readonly pool: Uint8Array[];
  private readonly found: Uint8Array[] = [];
  private readonly maxBytes: number;

  constructor(
    private readonly target: FuzzTarget,
    private readonly firstSeed: number,
  ) {
    this.maxBytes = target.maxBytes ?? MAX_BYTES;
    this.pool = [...this.folderEntries().map(({ bytes }) => bytes), ...(target.seeds ?? [])];
    if (this.pool.length === 0) throw new Error(`${target.name} has nothing to begin from`);
  }

  /** What is kept goes first: a mistake that was made once is not made again. */
  async replay(): Promise<void> {
    for (const { name, bytes } of this.folderEntries()) {
      try {
        await this.judge(bytes);
      } catch (error) {
        throw new Error(`fuzz ${this.target.name}: ${name} of the corpus breaks a rule`, { cause: error });
      }
    }
    for (const seed of this.target.seeds ?? []) await this.judge(seed);
  }

  async round(seed: number): Promise<void> {
    // Loaded here, because of all who import the testkit only these need fast-check.
    const { tryRecipes } = await import('./recipes.js');
    const options = { seed, count: ROUND_INPUTS, words: this.target.words ?? [] };
    const broken = await tryRecipes(options, (recipe) => this.judge(bake(recipe, this.pool, this.maxBytes)));
    if (broken !== undefined) throw this.failure(seed, broken.recipe, broken.error);
    this.pool.push(...this.found.splice(0));
  }

  summary(tookMs: number): string {
    const counts = [...this.outcomes].sort(([, a], [, b]) => b - a).slice(0, 12);
    const text = counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    const rest = this.outcomes.size > counts.length ? `, and ${this.outcomes.size - counts.length} more` : '';
    const speed = `${this.inputs} inputs in ${(tookMs / 1_000).toFixed(0)} s, seed ${this.firstSeed}`;
    return `fuzz ${this.target.name}: ${speed}; ${text}${rest}`;
  }

  private async judge(input: Uint8Array): Promise<void> {
    this.inputs++;
    // A copy of its own length: a parser that reads past its end must not find a neighbour's bytes.
    const outcome = await this.target.judge(input.slice());
    const seen = this.outcomes.get(outcome) ?? 0;
    this.outcomes.set(outcome, seen + 1);
    if (seen === 0 && this.pool.length + this.found.length < MAX_POOL) this.found.push(input);
  }

  private failure(seed: number, recipe: Recipe | undefined, cause: unknown): Error {
    const hex = recipe ? Buffer.from(bake(recipe, this.pool, this.maxBytes)).toString('hex') : '';
    const folder = relative(process.cwd(), join(this.target.corpus, this.target.name));
    const reason = cause instanceof Error ? cause.message : String(cause);
    const changes = JSON.stringify(recipe?.mutations, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value,
    );
    return new Error(
      `fuzz ${this.target.name} (seed ${this.firstSeed}, round ${seed}): ${reason}\n` +
        `changes: ${changes}\nshrunk input:\n${hex}\n` +
        `keep it as ${folder}/<what it shows>.hex: it is then tried first in every run`,
      { cause },
    );
  }

  private folderEntries(): ReturnType<typeof readCorpus> {
    return readCorpus(join(this.target.corpus, this.target.name));
  }
}

function secondsAsked(): number {
  const text = process.env['AGENTSTATE_FUZZ_SECONDS'] ?? '0';
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new RangeError(`AGENTSTATE_FUZZ_SECONDS=${text}`);
  return seconds;
}

function seedAsked(): number | undefined {
  const text = process.env['AGENTSTATE_FUZZ_SEED'];
  if (text === undefined) return undefined;
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`AGENTSTATE_FUZZ_SEED=${text}`);
  return seed;
}
