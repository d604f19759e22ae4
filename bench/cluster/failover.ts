import type { ThreeNodes } from './three-nodes';

const ATTEMPT_EVERY_MS = 20;
const LIGHT_LOAD_MS = 1_000;
const GIVE_UP_MS = 30_000;

/**
 * Kills the leader under light load (a put every 20 ms through each other node) and gives the milliseconds from the
 * kill to the first acknowledgement of a put sent after it. Attempts do not wait for each other, so that one that
 * hangs on the dead leader hides nothing. The killed node is started again before this returns.
 */
export async function timeFailover(system: ThreeNodes): Promise<number> {
  const at = await system.leader();
  const survivors = [0, 1, 2].filter((node) => node !== at);
  let killedMs = Infinity;
  let key = 0;
  let finish: (elapsedMs: number) => void = () => undefined;
  const acknowledged = new Promise<number>((resolve) => (finish = resolve));
  const attempt = async (node: number): Promise<void> => {
    const sentMs = performance.now();
    const { method, path, body } = system.put(key++);
    const answer = await fetch(`http://127.0.0.1:${system.nodes[node]?.port}${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
    await answer.arrayBuffer();
    if (answer.ok && sentMs >= killedMs) finish(performance.now() - killedMs);
  };
  const attempts = new Set<Promise<void>>();
  const timer = setInterval(() => {
    for (const node of survivors) {
      // While there is no leader a refusal is the expected answer.
      const running = attempt(node)
        .catch(() => undefined)
        .finally(() => attempts.delete(running));
      attempts.add(running);
    }
  }, ATTEMPT_EVERY_MS);
  try {
    await new Promise((resolve) => setTimeout(resolve, LIGHT_LOAD_MS));
    const killed = system.nodes[at]?.end('SIGKILL');
    killedMs = performance.now();
    await killed;
    const giveUp = new Promise<never>((_, reject) => {
      setTimeout(
        () => reject(new Error(`${system.name} took no write for ${GIVE_UP_MS} ms`)),
        GIVE_UP_MS,
      ).unref();
    });
    return await Promise.race([acknowledged, giveUp]);
  } finally {
    clearInterval(timer);
    await Promise.all(attempts);
    await system.restart(at);
  }
}
