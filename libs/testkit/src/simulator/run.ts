import { Simulation } from './simulation';
async function main() {
  const [seed, count, steps, bug] = process.argv.slice(2);
  const start = performance.now();
  for (let s = Number(seed); s < Number(seed) + Number(count); s++) {
    const sim = new Simulation({ seed: s, steps: Number(steps), bug: bug as never });
    try {
      console.log(JSON.stringify(await sim.run()));
    } catch (error) {
      console.log(sim.trace.last());
      console.log('seed', s, error);
    }
  }
  console.log('ms', performance.now() - start);
}
void main();
