import { Simulation } from './simulation';
async function main() {
  const [seed, count, steps, bug] = process.argv.slice(2);
  const start = performance.now();
  for (let s = Number(seed); s < Number(seed) + Number(count); s++) {
    const sim = new Simulation({ seed: s, steps: Number(steps), bug: bug as never });
    try {
      const r = await sim.run();
      if (process.env.V) console.log(JSON.stringify(r));
      else if (r.history !== 'linearizable') console.log('unknown history', s);
    } catch (error) {
      if (process.env.T) console.log(sim.trace.last());
      console.log('seed', s, sim.scheduler.nowMs | 0, String(process.env.T ? (error as Error).stack : error));
      if (bug) break;
    }
  }
  console.log('ms', performance.now() - start);
}
void main();
