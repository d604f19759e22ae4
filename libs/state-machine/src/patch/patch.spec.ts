/** Goal: patches do what their RFCs say. Method: the cases of RFC 7396 and RFC 6902 (both appendix A), as tables. */
import { applyJsonPatch } from './apply-json-patch';
import { parseJsonPatch } from './json-patch';
import { mergePatch } from './merge-patch';

describe('a merge patch', () => {
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j by %j is %j', (target, patch, result) => {
    expect(mergePatch(structuredClone(target), patch)).toEqual(result);
  });
});

describe('a JSON Patch', () => {
  const apply = (target: unknown, patch: unknown) => {
    const parsed = parseJsonPatch(patch);
    if (parsed.kind === 'malformed') return 'malformed';
    const result = applyJsonPatch(structuredClone(target), parsed.operations);
    return result.kind === 'patched' ? result.value : result.kind;
  };

  it.each<[unknown, unknown[], unknown]>([
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [{ foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
    [
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [{ baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'bar' }], 'test_failed'],
    [
      { foo: 'bar' },
      [{ op: 'add', path: '/child', value: { grandchild: {} } }],
      { foo: 'bar', child: { grandchild: {} } },
    ],
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz/bat', value: 'qux' }], 'inapplicable'],
    [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: '10' }], 'test_failed'],
    [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
    [{ a: 1 }, [{ op: 'replace', path: '', value: [2] }], [2]],
    [[1, 2], [{ op: 'remove', path: '/-' }], 'inapplicable'],
    [[1, 2], [{ op: 'replace', path: '/01', value: 1 }], 'inapplicable'],
    [[1, 2], [{ op: 'add', path: '/3', value: 1 }], 'inapplicable'],
    [
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/a/d', value: 2 },
      ],
      { a: { b: 1, d: 2 }, c: { b: 1 } },
    ],
    [
      { a: { x: 1, y: [{}] } },
      [{ op: 'test', path: '/a', value: { y: [{}], x: 1 } }],
      { a: { x: 1, y: [{}] } },
    ],
    [{ a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
    [{ a: 1 }, [{ op: 'test', path: '/constructor', value: null }], 'test_failed'],
    [{ a: 1 }, [{ op: 'spam', path: '/a' }], 'malformed'],
  ])('of %j by %j is %j', (target, patch, result) => {
    expect(apply(target, patch)).toEqual(result);
  });

  it('is not followed for ever: copies of copies grow, and moves nest deeper than any stack', () => {
    const grow = Array.from({ length: 40 }, (_, at) => ({ op: 'copy', from: '', path: `/${at}` }));
    expect(apply({}, grow)).toBe('inapplicable');
    const levels = 200;
    let tall: unknown = {};
    for (let level = 0; level < levels; level++) tall = { x: tall };
    const nestOnce = [
      { op: 'add', path: '/n', value: tall },
      { op: 'move', from: '/d', path: `/n${'/x'.repeat(levels)}/d` },
      { op: 'move', from: '/n', path: '/d' },
    ];
    const nested = [...nestOnce, ...structuredClone(nestOnce), ...structuredClone(nestOnce)];
    expect(apply({ d: {} }, nested)).toHaveProperty('d');
    expect(apply({ d: {} }, [...nested, { op: 'copy', from: '/d', path: '/e' }])).toBe('inapplicable');
  });
});
