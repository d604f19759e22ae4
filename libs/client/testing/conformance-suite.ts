import type { Client } from '../src/index.js';
import { Caller, clientOf, conformanceCases, described } from './conformance-case.js';
import { ScriptedServer } from './scripted-server.js';

/** Declares the shared cases as tests of a client: of the sources, or of what was built from them. */
export function testConformance(load: () => typeof Client): void {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await ScriptedServer.start();
  });
  afterAll(() => server.stop());

  for (const [file, cases] of conformanceCases()) {
    test.each(cases.map((one) => [one.name, one] as const))(`${file}: %s`, async (_, one) => {
      const script = await server.play(one);
      const caller = new Caller(clientOf(load(), one, script.urls));
      try {
        for (const call of one.calls) {
          const { result, error } = await caller.carryOut(call);
          const problems = (await script.report()).problems.filter((text) => !text.includes('not reached'));
          expect({ call, problems, error: described(error), result }).toMatchObject({
            problems: [],
            error: call.error ?? undefined,
            ...(call.result !== undefined && { result: call.result }),
          });
        }
      } finally {
        const report = await script.close();
        expect(report.problems).toEqual([]);
        expect(report.flooded_bytes).toBeLessThanOrEqual(one.flood_limit_bytes ?? 0);
      }
    });
  }
}
