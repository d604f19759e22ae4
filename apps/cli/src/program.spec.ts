import { createDecoder, createSigner } from 'fast-jwt';
import { runProgram } from './program';

/** The goal: what a person types gives what CONTRACT promises. The method: the whole program, in this process. */
const KEY = Buffer.alloc(32, 7).toString('base64');
const NOW_MS = Date.UTC(2026, 0, 1);

async function run(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = { CAP_KEY_ACTIVE: KEY },
): Promise<{ out: string; err: string; code: number }> {
  let out = '';
  let err = '';
  const code = await runProgram(args, {
    environment,
    out: (text) => (out += text),
    err: (text) => (err += text),
    nowMs: () => NOW_MS,
  });
  return { out, err, code: code ?? 0 };
}

describe('the command line', () => {
  test.each([[['--help']], [['token', '--help']], [['token', 'mint', '--help']], [['serve', '--help']]])(
    '%s explains itself on stdout',
    async (args) => {
      const { out, err, code } = await run(args);
      expect(out).toContain('Usage: agentstate');
      expect({ err, code }).toEqual({ err: '', code: 0 });
    },
  );

  test('the version is that of the package', async () => {
    expect(await run(['--version'])).toEqual({
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
      err: '',
      code: 0,
    });
  });

  test.each([
    [['fly']],
    [[]],
    [['--wings']],
    [['token']],
    [['token', 'mint']],
    [['token', 'mint', '--ns', 'a b', '--ops', 'GET']],
    [['token', 'mint', '--ns', 'a', '--ops', 'READ']],
    [['token', 'mint', '--ns', 'a', '--ops', ',']],
    [['token', 'mint', '--ns', 'a', '--ops', 'GET', '--ttl', '1 hour']],
    [['token', 'mint', '--ns', 'a', '--ops', 'GET', '--ttl', '0']],
    [['token', 'mint', '--ns', 'a', '--ops', 'GET', '--max-qps', '0']],
    [['token', 'mint', '--ns', 'a', '--ops', 'GET', '--key', 'short']],
    [['token', 'inspect']],
    [['token', 'inspect', 'x', '--output', 'xml']],
  ])('%j is a usage error, said on stderr alone', async (args) => {
    const { out, err, code } = await run(args);
    expect({ out, code }).toEqual({ out: '', code: 2 });
    expect(err).not.toBe('');
  });
});

test.each([[['get']], [['put', '--wings']], [['token', 'mint']]])(
  '%j leads to the help of that command',
  async (args) => {
    const { err } = await run(args);
    expect(err).toContain(`agentstate ${args.filter((word) => !word.startsWith('-')).join(' ')} --help`);
  },
);

describe('token mint', () => {
  test('signs the claims of CONTRACT section 5, and prints nothing else', async () => {
    const { out, err } = await run(
      'token mint --ns agent://a,agent://b* --ops put,GET --ttl 2h --regions eu,us --jti me --max-qps 5 --max-bytes 9'.split(
        ' ',
      ),
    );
    expect(err).toBe('');
    expect(createDecoder({ complete: true })(out.trim())).toMatchObject({
      header: { alg: 'HS256', typ: 'JWT', kid: 'active' },
      payload: {
        ns: ['agent://a', 'agent://b*'],
        ops: ['PUT', 'GET'],
        iat: NOW_MS / 1000,
        exp: NOW_MS / 1000 + 7_200,
        regions: ['eu', 'us'],
        jti: 'me',
        max_qps: 5,
        max_bytes: 9,
      },
    });
  });

  test('one namespace is a string, and what was not asked for is not there', async () => {
    const { out } = await run('token mint --ns admin://global --ops ADMIN'.split(' '));
    expect(createDecoder()(out.trim())).toEqual({
      ns: 'admin://global',
      ops: ['ADMIN'],
      iat: NOW_MS / 1000,
      exp: NOW_MS / 1000 + 3_600,
    });
  });

  test.each([
    ['3600', 3_600],
    ['1', 1],
    ['90s', 90],
    ['7d', 604_800],
  ])('--ttl %s is %d s', async (ttl, seconds) => {
    const { out, err } = await run(['token', 'mint', '--ns', 'a', '--ops', 'GET', '--ttl', ttl]);
    expect(err).toBe('');
    expect(createDecoder()(out.trim())).toMatchObject({ exp: NOW_MS / 1000 + seconds });
  });

  test('lists go on where their option is given again', async () => {
    const { out } = await run(
      'token mint --ns a --ops PUT --regions eu --ns b,c --ops GET,PUT --regions us'.split(' '),
    );
    expect(createDecoder()(out.trim())).toMatchObject({
      ns: ['a', 'b', 'c'],
      ops: ['PUT', 'GET'],
      regions: ['eu', 'us'],
    });
  });

  test.each(['--ttl 1h --ttl 2h', '--jti a --jti b', '--max-qps 1 --max-qps 2', '--kid a --kid a'])(
    'one value is given once: %s',
    async (twice) => {
      const { out, err, code } = await run(`token mint --ns a --ops GET ${twice}`.split(' '));
      expect({ out, code }).toEqual({ out: '', code: 2 });
      expect(err).toMatch(/--[a-z-]+ is given more than once/);
    },
  );

  test('without a key it fails and says where keys come from', async () => {
    const { out, err, code } = await run('token mint --ns a --ops GET'.split(' '), {});
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect(err).toContain('CAP_KEY_ACTIVE');
  });

  test('a malformed key is not repeated', async () => {
    const { err, code } = await run('token mint --ns a --ops GET'.split(' '), { CAP_KEY_ACTIVE: 'not-long' });
    expect(code).toBe(2);
    expect(err).not.toContain('not-long');
  });
});

describe('token inspect', () => {
  const mint = async (args: string, environment?: NodeJS.ProcessEnv): Promise<string> =>
    (await run(`token mint ${args}`.split(' '), environment)).out.trim();

  test('a good token is explained', async () => {
    const token = await mint('--ns agent://a --ops PUT,GET --regions eu');
    const { out, code } = await run(['token', 'inspect', token]);
    expect(code).toBe(0);
    expect(out).toMatch(/signature +good/);
    expect(out).toMatch(/operations +PUT, GET/);
    expect(out).toMatch(/expires +2026-01-01T01:00:00.000Z \(in 1 h\)/);
  });

  test('the next key is tried too', async () => {
    const next = Buffer.alloc(32, 9).toString('base64');
    const token = await mint(`--ns a --ops GET --kid next --key ${next}`);
    const json = await run(['token', 'inspect', '--output', 'json', token], {
      CAP_KEY_ACTIVE: KEY,
      CAP_KEY_NEXT: next,
    });
    expect(JSON.parse(json.out)).toMatchObject({ signature: 'good', problems: [] });
  });

  test('a token of another key is unchecked, a forged one is refused', async () => {
    const other = Buffer.alloc(32, 9).toString('base64');
    const unchecked = await run([
      'token',
      'inspect',
      await mint(`--ns a --ops GET --kid other --key ${other}`),
    ]);
    expect(unchecked).toMatchObject({ code: 0, out: expect.stringContaining('not checked') as string });
    const forged = await run(['token', 'inspect', await mint(`--ns a --ops GET --key ${other}`)]);
    expect(forged).toMatchObject({ code: 1, out: expect.stringContaining('BAD') as string });
  });

  test('an expired token is refused once the clocks cannot be the reason', async () => {
    const sign = createSigner({ algorithm: 'HS256', key: Buffer.alloc(32, 7), kid: 'active' });
    const at = (exp: number): string => sign({ ns: 'a', ops: ['GET'], iat: 0, exp });
    expect((await run(['token', 'inspect', at(NOW_MS / 1000 - 59)])).code).toBe(0);
    expect((await run(['token', 'inspect', at(NOW_MS / 1000 - 60)])).code).toBe(1);
  });

  test.each(['', 'x', 'a.b.c', '..', 'e30.e30.'])('%j is no good token', async (text) => {
    const { code } = await run(['token', 'inspect', '--', text]);
    expect(code).toBe(1);
  });

  test('control characters of a stranger do not reach the terminal', async () => {
    const token = createSigner({ algorithm: 'HS256', key: 'k', kid: 'x' })({
      ns: 'a\u001b[2J',
      ops: ['GET'],
      exp: 1e12,
    });
    expect((await run(['token', 'inspect', token])).out).not.toContain('\u001b');
  });
});
