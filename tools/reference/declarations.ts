import ts from 'typescript';

/** One name that a package gives away, and what is said of it. */
export interface Declared {
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'type' | 'function';
  /** File of the declaration, from the package's source folder, without its ending. */
  readonly module: string;
  readonly doc: string;
  /** The head of a class or an interface; the whole of a type or a function, without the body. */
  readonly code: string;
  readonly members: readonly Member[];
}

/** What can be read or called of a class or an interface. */
export interface Member {
  readonly name: string;
  readonly code: string;
  readonly doc: string;
}

type Declaration =
  ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.FunctionDeclaration;

/** The public names of a package, and what keeps its reference from being complete. */
export interface Package {
  readonly declared: readonly Declared[];
  readonly problems: readonly string[];
}

/** Reads what the entry files export; `root` is the source folder. */
export function readPackage(root: string, entries: readonly string[], options: ts.CompilerOptions): Package {
  const program = ts.createProgram([...entries], options);
  const checker = program.getTypeChecker();
  const symbols = entries.flatMap((entry) => {
    const file = program.getSourceFile(entry);
    const door = file && checker.getSymbolAtLocation(file);
    if (door === undefined) throw new Error(`${entry} is no module`);
    return checker.getExportsOfModule(door).map((symbol) => originalOf(checker, symbol));
  });
  const known = new Set(symbols);
  const problems: string[] = [];
  const declared = symbols.map((symbol) => {
    const declaration = declarationOf(symbol);
    const found = describe(root, symbol.name, declaration);
    problems.push(...undocumented(found));
    for (const hidden of hiddenNames(checker, declaration, known, root))
      problems.push(`${found.name} speaks of ${hidden}, which is not exported`);
    return found;
  });
  return { declared, problems };
}

const originalOf = (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function declarationOf(symbol: ts.Symbol): Declaration {
  const [declaration] = symbol.declarations ?? [];
  if (
    declaration === undefined ||
    !(
      ts.isClassDeclaration(declaration) ||
      ts.isInterfaceDeclaration(declaration) ||
      ts.isTypeAliasDeclaration(declaration) ||
      ts.isFunctionDeclaration(declaration)
    )
  )
    throw new Error(`${symbol.name} is of a kind that the reference does not know`);
  return declaration;
}

function describe(root: string, name: string, declaration: Declaration): Declared {
  const isClass = ts.isClassDeclaration(declaration);
  const hasMembers = isClass || ts.isInterfaceDeclaration(declaration);
  return {
    name,
    kind: isClass
      ? 'class'
      : ts.isInterfaceDeclaration(declaration)
        ? 'interface'
        : ts.isTypeAliasDeclaration(declaration)
          ? 'type'
          : 'function',
    module: declaration
      .getSourceFile()
      .fileName.slice(root.length + 1)
      .replace(/\.ts$/, ''),
    doc: docOf(declaration),
    code: codeOf(declaration),
    members: hasMembers ? declaration.members.flatMap((member) => membersOf(member)) : [],
  };
}

/** A constructor without a doc comment is for the package itself; what it declares as readable is not. */
function membersOf(member: ts.ClassElement | ts.TypeElement): readonly Member[] {
  if (ts.isConstructorDeclaration(member)) {
    const fields = member.parameters
      .filter((parameter) => ts.isParameterPropertyDeclaration(parameter, member) && isPublic(parameter))
      .map((parameter) => memberOf(parameter.name.getText(), parameter));
    const doc = docOf(member);
    return doc === '' ? fields : [{ name: 'constructor', code: codeOf(member), doc }, ...fields];
  }
  if (member.name === undefined || !isPublic(member)) return [];
  if (ts.isPrivateIdentifier(member.name) || ts.isComputedPropertyName(member.name)) return [];
  return [memberOf(member.name.getText(), member)];
}

const memberOf = (name: string, node: ts.Node): Member => ({ name, code: codeOf(node), doc: docOf(node) });

/** What is overridden was described where it was declared first. */
function isPublic(node: ts.Node): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
  return (ts.getCombinedModifierFlags(node as ts.Declaration) & hidden) === 0;
}

function docOf(node: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  return (ts.getTextOfJSDocComment(comment?.comment) ?? '').replace(/\{@link ([^}]+)\}/g, '`$1`').trim();
}

/** The declaration as it is written, up to its body, on one line unless it is a type. */
function codeOf(node: ts.Node): string {
  const file = node.getSourceFile();
  const end = bodyStart(node) ?? node.end;
  const text = file.text.slice(node.getStart(), end);
  const head = text
    .replace(/^(?:export |declare |public |readonly |async |\*)+/, '')
    .replace(/[\s;{,]+$/, '');
  const code = ts.isTypeAliasDeclaration(node) ? head : onOneLine(head);
  return code.replace(/^constructor\(/, 'new (');
}

/** Comments inside, which stand for the fields of an options object, would swallow what follows them. */
const onOneLine = (code: string): string =>
  code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/([(<[]) /g, '$1')
    .replace(/,? ([)>\]])/g, (_, closing: string) => closing)
    .replace(/= >/g, '=>')
    .trim();

function bodyStart(node: ts.Node): number | undefined {
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
    const last = node.heritageClauses?.at(-1) ?? node.typeParameters?.at(-1) ?? node.name;
    return node.getSourceFile().text.indexOf('{', last?.end ?? node.getStart());
  }
  if (ts.isFunctionLike(node) && 'body' in node) return (node.body as ts.Node | undefined)?.getStart();
  if (ts.isPropertyDeclaration(node)) return node.initializer && node.type?.end;
  return undefined;
}

function undocumented({ name, doc, members }: Declared): readonly string[] {
  return [
    ...(doc === '' ? [name] : []),
    ...members.filter((member) => member.doc === '').map((member) => `${name}.${member.name}`),
  ].map((what) => `${what} has no doc comment`);
}

/** The package's own names that a reader of a declaration meets, but cannot import. */
function hiddenNames(
  checker: ts.TypeChecker,
  declaration: Declaration,
  known: ReadonlySet<ts.Symbol>,
  root: string,
): ReadonlySet<string> {
  const hidden = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isBlock(node) || ts.isParameterPropertyDeclaration(node, node.parent)) return;
    if (ts.isConstructorDeclaration(node) && docOf(node) === '') return;
    if (ts.isClassElement(node) && !isPublic(node)) return;
    if (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name)) return;
    if (ts.isTypeReferenceNode(node)) {
      const symbol = checker.getSymbolAtLocation(node.typeName);
      const meant = symbol && originalOf(checker, symbol);
      const isParameter = ((meant?.flags ?? 0) & ts.SymbolFlags.TypeParameter) !== 0;
      const isOwn = meant?.declarations?.[0]?.getSourceFile().fileName.startsWith(`${root}/`) ?? false;
      if (meant && isOwn && !isParameter && !known.has(meant)) hidden.add(meant.name);
    }
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return hidden;
}
