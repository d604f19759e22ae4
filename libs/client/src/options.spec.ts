import { inspect } from 'node:util';
import { type ClientOptions, Client, ConfigurationError } from './index.js';
import { settingsOf } from './options.js';

/** The goal: a client is made of what the environment and the options say, and keeps its token to itself. */
describe('options', () => {
  const saved = { ...process.env };
  const NAMES = ['AGENTSTATE_ENDPOINT', 'AGENTSTATE_TOKEN', 'AGENTSTATE_API_KEY'];
  beforeEach(() => NAMES.forEach((name) => delete process.env[name]));
  afterEach(() => Object.assign(process.env, saved));

  const urls = (options: ClientOptions): readonly string[] =>
    settingsOf(options).endpoints.map(({ url }) => url);

  test('endpoints come from the options, then the environment, then the default', () => {
    expect(urls({})).toEqual(['http://127.0.0.1:8080']);
    process.env['AGENTSTATE_ENDPOINT'] = 'http://a:1/, https://b/base/';
    expect(urls({})).toEqual(['http://a:1', 'https://b/base']);
    expect(urls({ endpoints: ['http://c', { url: 'http://d', region: 'eu' }] })).toEqual([
      'http://c',
      'http://d',
    ]);
  });

  test('tokens come from the option, then AGENTSTATE_TOKEN, then AGENTSTATE_API_KEY', async () => {
    const token = async (options: ClientOptions): Promise<string | undefined> => settingsOf(options).token();
    expect(await token({})).toBeUndefined();
    process.env['AGENTSTATE_API_KEY'] = 'key';
    expect(await token({})).toBe('key');
    process.env['AGENTSTATE_TOKEN'] = 'token';
    expect(await token({})).toBe('token');
    expect(await token({ token: 'given' })).toBe('given');
    expect(await token({ token: () => Promise.resolve('fresh') })).toBe('fresh');
    expect(await token({ token: null })).toBeUndefined();
  });

  test.each(['ftp://x', 'x', '', 'http://', 'http://u:s3cret@host'])('%j is no endpoint', (endpoint) => {
    const make = (): Client => new Client(endpoint);
    expect(make).toThrow(ConfigurationError);
    expect(make).not.toThrow(/s3cret/);
  });

  test('a token that no header can carry is refused without being repeated', async () => {
    expect(() => new Client({ token: 's3cret\n' })).toThrow(ConfigurationError);
    expect(() => new Client({ token: 's3cret\n' })).not.toThrow(/s3cret/);
    const late = new Client({ token: () => 's3cret é' }).get('ns', 'id');
    await expect(late).rejects.toThrow(ConfigurationError);
    await expect(late).rejects.not.toThrow(/s3cret/);
  });

  test('a fetch that was given is called by itself, as browsers ask of theirs', async () => {
    const receivers: unknown[] = [];
    function given(this: unknown): Promise<Response> {
      receivers.push(this);
      return Promise.resolve(Response.json({ id: 'id' }));
    }
    await new Client('http://127.0.0.1:1', { fetch: given }).get('ns', 'id');
    expect(receivers).toEqual([undefined]);
  });

  test('a client that is logged does not show its token', () => {
    const client = new Client('http://127.0.0.1:1', { token: 's3cret' });
    for (const one of [client, client.namespace('ns'), client.session()]) {
      expect(inspect(one, { depth: 9, showHidden: true })).not.toContain('s3cret');
      expect(JSON.stringify(one)).not.toContain('s3cret');
    }
  });

  test('no error shows it either', async () => {
    const client = new Client('http://127.0.0.1:1', { token: 's3cret', retry: { maxRetries: 0 } });
    const error = await client.get('ns', 'id').catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('s3cret');
  });
});
