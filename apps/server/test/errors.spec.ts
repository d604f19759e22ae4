import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES, StateError } from '#contracts';
import { STATUS_TABLE } from '../src/errors';
import { type TestServer, startTestServer } from './test-server';

describe('docs/errors.md', () => {
  it('lists every code once, with its status', () => {
    const text = readFileSync(join(__dirname, '../../../docs/errors.md'), 'utf8');
    const rows = [...text.matchAll(/^\|\s*(\d{3})\s*\|\s*`([a-z_]+)`\s*\|/gm)].map(([, status, code]) => [
      code,
      Number(status),
    ]);
    const expected = ERROR_CODES.map((code) => [code, STATUS_TABLE[code].status]);
    expect(rows.sort()).toEqual(expected.sort());
  });
});

describe('an answer', () => {
  let test: TestServer;
  beforeAll(async () => {
    test = await startTestServer();
  });
  afterAll(() => test.server.stop());

  it.each(ERROR_CODES)('for %s has the status, the code and what the code promises', async (code) => {
    test.engine.failure = new StateError(code, 'some detail', { current_commit_seq: 3 });
    const answer = await test.send('PUT', '/v1/a/objects/x', { json: {} });
    const { status } = STATUS_TABLE[code];
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toEqual({
      type: `urn:agentstate:error:${code}`,
      title: STATUS_TABLE[code].title,
      status,
      detail: 'some detail',
      code,
      request_id: answer.headers['x-request-id'],
      current_commit_seq: 3,
    });
    expect(answer.headers['retry-after']).toBe(status === 429 || status === 503 ? '1' : undefined);
  });

  it('says nothing that nodes tell each other alone', async () => {
    test.engine.failure = new StateError('not_ready', 'some detail', { moved: true, retry_after: 3 });
    const answer = await test.send('PUT', '/v1/a/objects/x', { json: {} });
    expect(Object.keys(answer.json()).sort()).toEqual([
      'code',
      'detail',
      'request_id',
      'status',
      'title',
      'type',
    ]);
    expect(answer.headers['retry-after']).toBe('3');
  });
});
