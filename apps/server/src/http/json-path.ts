/** The path (`body.items[2]`) of the value that starts at `offset` in valid JSON text. Only for error messages. */
export function jsonPathAt(text: string, offset: number): string {
  const containers: (string | number)[] = [];
  let key: string | undefined;
  for (let i = 0; i < offset; i++) {
    const character = text[i];
    if (character === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      key = text.slice(start, i + 1);
    } else if (character === ':' && key !== undefined) {
      containers[containers.length - 1] = JSON.parse(key) as string;
    } else if (character === '{') {
      containers.push('');
    } else if (character === '[') {
      containers.push(0);
    } else if (character === '}' || character === ']') {
      containers.pop();
    } else if (character === ',') {
      const top = containers.at(-1);
      if (typeof top === 'number') containers[containers.length - 1] = top + 1;
    }
  }
  const path = containers.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return path.replace(/^\./, '') || 'body';
}
