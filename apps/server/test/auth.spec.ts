import { createSigner } from 'fast-jwt';
import { KEY, NEXT_KEY, type TestServer, claims, mint, startTestServer } from './test-server';

const PATH = '/v1/agent%3A%2F%2Fdemo/objects/x';

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer({
    CAP_KEY_ACTIVE_ID: 'active',
    CAP_KEY_ACTIVE: KEY,
    CAP_KEY_NEXT_ID: 'next',
    CAP_KEY_NEXT: NEXT_KEY,
    REGION: 'eu-west-1',
  });
});
afterAll(() => test.server.stop());

async function outcome(
  token: string | undefined,
  options: { method?: string; path?: string; body?: string } = {},
) {
  const { method = 'PUT', path = PATH } = options;
  const body = options.body ?? (method === 'PUT' ? '{}' : undefined);
  const answer = await test.send(method, path, { token, body });
  return answer.status < 300 ? 'ok' : `${answer.status} ${String(answer.json().code)}`;
}

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');

describe('a token', () => {
  it('ends a watch with its token, and not before a clock that may be late says so', async () => {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    for (const [exp, ends] of [
      [nowSeconds + 10, nowSeconds + 10],
      [nowSeconds - 10, nowSeconds + 50],
    ] as const) {
      const token = mint(claims({ exp, ops: ['WATCH'] }));
      const stream = await fetch(`http://127.0.0.1:${test.server.httpPort}/v1/agent%3A%2F%2Fdemo/watch`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(stream.status).toBe(200);
      const [watcher] = [...test.engine.watchers].slice(-1);
      expect(watcher?.request.expiresAtMs).toBe(ends * 1_000);
      await stream.body?.cancel();
    }
  });

  it('is good with either key', async () => {
    expect(await outcome(mint(claims()))).toBe('ok');
    expect(await outcome(mint(claims(), { kid: 'next', key: NEXT_KEY }))).toBe('ok');
  });

  it('is required', async () => {
    expect(await outcome(undefined)).toBe('401 token_missing');
    const answer = await test.send('GET', PATH, { headers: { authorization: 'Basic eDp5' } });
    expect([answer.status, answer.json().code]).toEqual([401, 'token_malformed']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('cut short, unsigned, or signed by another key is refused', async () => {
    const token = mint(claims());
    expect(await outcome(token.slice(0, -5))).toBe('401 token_bad_signature');
    expect(await outcome(token.slice(0, 20))).toBe('401 token_malformed');
    expect(await outcome(mint(claims(), { key: NEXT_KEY }))).toBe('401 token_bad_signature');
    expect(await outcome(mint(claims(), { kid: 'other' }))).toBe('401 token_unknown_key');
    const none = `${encode({ alg: 'none', kid: 'active' })}.${encode(claims())}.`;
    expect(await outcome(none)).toBe('401 token_malformed');
    const hs512 = createSigner({ key: Buffer.from(KEY, 'base64'), algorithm: 'HS512', kid: 'active' })(
      claims(),
    );
    expect(await outcome(hs512)).toBe('401 token_malformed');
    const changed = token
      .split('.')
      .with(1, encode(claims({ ns: '*' })))
      .join('.');
    expect(await outcome(changed)).toBe('401 token_bad_signature');
  });

  it('has one spelling: a signature with spare bits set would be another owner', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const token = mint(claims());
    const last = alphabet.indexOf(token.at(-1) as string);
    expect(await outcome(token)).toBe('ok');
    for (const spare of [1, 2, 3]) {
      const other = token.slice(0, -1) + (alphabet[last | spare] as string);
      expect(await outcome(other)).toBe('401 token_bad_signature');
    }
  });

  it('keeps its times, with 60 s of skew, also when it is remembered', async () => {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    expect(await outcome(mint(claims({ exp: nowSeconds - 61 })))).toBe('401 token_expired');
    expect(await outcome(mint(claims({ exp: nowSeconds - 30 })))).toBe('ok');
    expect(await outcome(mint(claims({ nbf: nowSeconds + 120 })))).toBe('401 token_malformed');
    expect(await outcome(mint(claims({ iat: nowSeconds + 30 })))).toBe('ok');
    const short = mint(claims({ exp: nowSeconds + 10 }));
    expect(await outcome(short)).toBe('ok');
    jest.spyOn(Date, 'now').mockReturnValue((nowSeconds + 100) * 1_000);
    try {
      expect(await outcome(short)).toBe('401 token_expired');
    } finally {
      jest.restoreAllMocks();
    }
  });

  it.each([
    { exp: undefined },
    { exp: '9999999999' },
    { ns: 5 },
    { ns: undefined },
    { ns: [1] },
    { ns: { x: 1 } },
    { ops: 'PUT' },
    { ops: undefined },
    { regions: 'eu-west-1' },
    { max_bytes: '1' },
    { max_qps: null },
    { jti: 7 },
  ])('with a claim of another type is malformed: %j', async (override) => {
    const payload = JSON.parse(JSON.stringify(claims(override))) as Record<string, unknown>;
    // The library mints only well-typed tokens, so this one is put together by hand.
    const { createHmac } = await import('node:crypto');
    const input = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'active' })}.${encode(payload)}`;
    const signature = createHmac('sha256', Buffer.from(KEY, 'base64')).update(input).digest('base64url');
    expect(await outcome(`${input}.${signature}`)).toBe('401 token_malformed');
  });

  it('grants the namespaces and operations that it names and nothing else', async () => {
    expect(await outcome(mint(claims({ ns: 'agent://demo2' })))).toBe('403 namespace_denied');
    expect(await outcome(mint(claims({ ns: 'agent://de' })))).toBe('403 namespace_denied');
    expect(await outcome(mint(claims({ ns: ['agent://other', 'agent://de*'] })))).toBe('ok');
    expect(await outcome(mint(claims({ ops: ['GET'] })))).toBe('403 operation_denied');
    expect(await outcome(mint(claims({ ops: [] })), { method: 'GET' })).toBe('403 operation_denied');
    const watch = { method: 'GET', path: '/v1/agent%3A%2F%2Fdemo/watch' };
    expect(await outcome(mint(claims({ ops: ['GET'] })), watch)).toBe('403 operation_denied');
    const query = await test.send('POST', '/v1/agent%3A%2F%2Fdemo/query', {
      token: mint(claims({ ops: ['GET'] })),
      json: {},
    });
    expect(query.status).toBe(200);
  });

  it('is good in its regions alone', async () => {
    expect(await outcome(mint(claims({ regions: ['eu-west-1'] })))).toBe('ok');
    const answer = await test.send('GET', PATH, { token: mint(claims({ regions: ['us-east-1'] })) });
    expect([answer.status, answer.json().code]).toEqual([451, 'region_not_allowed']);
    expect(answer.json()).toMatchObject({ region: 'eu-west-1', allowed_regions: ['us-east-1'] });
  });

  it('bounds the body', async () => {
    const token = mint(claims({ max_bytes: 20 }));
    expect(await outcome(token, { body: '{"body":"12345678"}' })).toBe('ok');
    expect(await outcome(token, { body: '{"body":"1234567890"}' })).toBe('413 payload_too_large');
  });

  it('is refused before a huge body is read', async () => {
    const answer = await test.sendRaw(
      `PUT ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n{`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 [^]*"code":"token_missing"/);
  });

  it('has a rate of its own', async () => {
    const token = mint(claims({ max_qps: 2, jti: 'slow' }));
    const outcomes = [await outcome(token), await outcome(token), await outcome(token)];
    expect(outcomes[0]).toBe('ok');
    const answer = await test.send('GET', PATH, { token });
    expect([answer.status, answer.json().code]).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });

  it('needs ADMIN on admin://global for /admin', async () => {
    const admin = { method: 'GET', path: '/admin/manifest' };
    expect(await outcome(undefined, admin)).toBe('401 token_missing');
    expect(await outcome(mint(claims({ ns: '*', ops: ['ADMIN'] })), admin)).toBe('403 namespace_denied');
    expect(await outcome(mint(claims({ ns: 'admin://global', ops: ['GET'] })), admin)).toBe(
      '403 operation_denied',
    );
    expect(await outcome(mint(claims({ ns: 'admin://global', ops: ['ADMIN'] })), admin)).toBe('ok');
    const wrongMethod = { method: 'GET', path: '/admin/snapshot' };
    expect(await outcome(undefined, wrongMethod)).toBe('401 token_missing');
    expect(await outcome(mint(claims({ ns: '*', ops: ['ADMIN'] })), wrongMethod)).toBe(
      '403 namespace_denied',
    );
  });

  it('does not open a reserved namespace', async () => {
    const path = '/v1/admin%3A%2F%2Fglobal/objects/x';
    expect(await outcome(mint(claims({ ns: '*' })), { path })).toBe('403 namespace_denied');
  });

  it('is counted by key and result, and an unknown key is no label', async () => {
    await outcome(mint(claims(), { kid: 'surprise' }));
    const { text } = await test.send('GET', '/metrics');
    expect(text).toMatch(/auth_tokens_total\{kid="active",result="ok"\} \d+/);
    expect(text).toMatch(/auth_tokens_total\{kid="next",result="ok"\} \d+/);
    expect(text).toMatch(/auth_tokens_total\{kid="unknown",result="unknown_key"\} \d+/);
    expect(text).not.toContain('surprise');
  });
});

describe('the rate limit of a namespace', () => {
  it('refuses past it and names the namespace in the metric', async () => {
    const limited = await startTestServer({ RATE_LIMIT_QPS: '3' });
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 8; i++) statuses.push((await limited.send('GET', '/v1/busy/objects')).status);
      expect(statuses.slice(0, 3)).toEqual([200, 200, 200]);
      expect(statuses).toContain(429);
      expect((await limited.send('GET', '/v1/idle/objects')).status).toBe(200);
      const { text } = await limited.send('GET', '/metrics');
      expect(text).toMatch(/rate_limit_exceeded_total\{ns="busy"\} [1-9]/);
    } finally {
      await limited.server.stop();
    }
  });
});
