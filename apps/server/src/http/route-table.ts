/** Which methods the resources have, so that a wrong method is told from a wrong path. */
export class RouteTable {
  private readonly routes: { readonly methods: Set<string>; readonly segments: readonly string[] }[] = [];

  add(methods: string | readonly string[], pattern: string): void {
    const segments = pattern.split('/');
    const known = this.routes.find((route) => route.segments.join('/') === pattern);
    const route = known ?? { methods: new Set<string>(), segments };
    if (!known) this.routes.push(route);
    for (const method of [methods].flat()) route.methods.add(method);
  }

  /** Methods of the resources that a raw (still encoded) path names; empty when there is no such resource. */
  methodsOf(path: string): readonly string[] {
    const segments = (path.split(/[?#]/, 1)[0] ?? '').split('/');
    const methods = this.routes
      .filter((route) => !route.segments.includes('*') && matches(route.segments, segments))
      .flatMap((route) => [...route.methods]);
    return [...new Set(methods)].sort();
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) =>
    part.startsWith(':') ? segments[index] !== '' : part === segments[index],
  );
}
