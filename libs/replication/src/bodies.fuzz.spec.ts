import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodecError } from '#codec';
import { fuzz, fuzzDeadlineMs } from '#testkit';
import { decodeBody } from './cluster-bodies';
import { decodeBusMessage } from './history/bus-messages';
import {
  decodeChangesAnswer,
  decodeChangesQuestion,
  decodeScanAnswer,
  decodeScanQuestion,
} from './history/history-bodies';
import { decodeRowAnswer, decodeRowRequest } from './moves/row-request';
import { readRaftFrame } from './peers/raft-frame';
import { decodeForwardedRead, decodeForwardedWrite, decodeReadAnswer } from './peers/request-bodies';
import { decodeConfState } from './replica-rows';
import { decodeChunk, decodeChunkRequest, unseal } from './snapshots/chunk';

// Goal: a body that no node of this version sent is refused with a CodecError, which costs the link or the request;
// any other error would be a mistake of the reader, and end the process. Method: changed golden bodies, given to
// every reader, because a peer chooses the kind of what it sends.

jest.setTimeout(fuzzDeadlineMs());

const READERS: Readonly<Record<string, (body: Uint8Array) => unknown>> = {
  raftFrame: (body) => [...readRaftFrame(body)].length,
  forwardedWrite: decodeForwardedWrite,
  forwardedRead: decodeForwardedRead,
  readAnswer: decodeReadAnswer,
  chunkRequest: decodeChunkRequest,
  chunk: decodeChunk,
  sealed: (body) => unseal(body, (bytes) => `digest of ${bytes.length}`),
  changesQuestion: decodeChangesQuestion,
  changesAnswer: decodeChangesAnswer,
  scanQuestion: decodeScanQuestion,
  scanAnswer: decodeScanAnswer,
  rowRequest: decodeRowRequest,
  rowAnswer: decodeRowAnswer,
  bus: decodeBusMessage,
  configuration: decodeConfState,
  body: (body) => decodeBody(body, { name: 'string', nodes: 'object', port: 'number' }),
};

describe('fuzz', () => {
  test('peer-bodies', async () => {
    const judge = (input: Uint8Array): string => {
      const readBy = Object.entries(READERS).filter(([, read]) => {
        try {
          read(input);
          return true;
        } catch (error) {
          if (error instanceof CodecError) return false;
          throw error;
        }
      });
      return readBy.map(([name]) => name).join(' ') || 'refused';
    };
    const seeds = readFileSync(join(__dirname, '..', 'golden', 'version-1.txt'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => new Uint8Array(Buffer.from(line.split(' ')[1] ?? '', 'hex')));
    const corpus = join(__dirname, '..', 'fuzz-corpus');
    const { outcomes } = await fuzz({ name: 'peer-bodies', corpus, seeds, judge });
    const seen = [...outcomes.keys()].join(' ');
    for (const name of Object.keys(READERS).filter((one) => one !== 'body')) expect(seen).toContain(name);
  });
});
