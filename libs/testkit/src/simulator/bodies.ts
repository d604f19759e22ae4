/**
 * The body of a writer's write: no two are alike. Its members are what namespaces have indexes of; one is not in all.
 */
export function bodyJsonOf(writer: string, turn: number): string {
  return JSON.stringify({ by: writer, n: turn, ...(turn % 3 === 0 && { size: turn % 5 }) });
}
