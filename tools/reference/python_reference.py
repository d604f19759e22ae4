#!/usr/bin/env python3
"""Writes docs/reference/python.md from the doc comments of the Python SDK; with --check only says whether it is stale.

It reads the sources and imports nothing, so that it runs wherever Python does. What can be imported and has no doc
comment, or speaks of something that cannot be imported, is an error.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Union

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sdks/python/src/agentstate"
DOCUMENT = ROOT / "docs/reference/python.md"
HEAD = """# Reference: `agentstate` for Python

Generated from the doc comments in [sdks/python](../../sdks/python/README.md) by `npm run reference`; change them there.
"""
# Chapters, and the modules that they are about.
CHAPTERS = [
    ("Clients", {"client", "async_client", "_answers"}),
    ("Options", {"options"}),
    ("Objects, queries and events", {"models"}),
    ("Listings", {"pages", "_calls"}),
    ("Watches", {"watch", "checkpoint"}),
    ("Mirrors", {"mirror"}),
    ("Leases", {"lease"}),
    ("Errors", {"errors"}),
]
Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]


@dataclass
class Member:
    """What can be read or called of a class."""

    name: str
    code: str
    doc: str


@dataclass
class Declared:
    """One name that the package gives away."""

    name: str
    module: str
    code: str
    doc: str
    members: list[Member]


class Package:
    """The sources of a package, and what its ``__init__`` exports."""

    def __init__(self, folder: Path) -> None:
        self._modules = {file.stem: ast.parse(file.read_text("utf-8")) for file in sorted(folder.glob("*.py"))}
        self._exported = {
            name.name: node.module or ""
            for node in self._modules["__init__"].body
            if isinstance(node, ast.ImportFrom)
            for name in node.names
        }
        self.problems: list[str] = []
        self.declared = [self._declared(name, module) for name, module in self._exported.items()]
        listed = ast.literal_eval(_assigned(self._modules["__init__"], "__all__"))
        self.problems += [f"{name} is exported, but not in __all__" for name in set(self._exported) - set(listed)]

    def _declared(self, name: str, module: str) -> Declared:
        body = self._modules[module].body
        for at, node in enumerate(body):
            if isinstance(node, ast.ClassDef) and node.name == name:
                found = self._class(node, module)
                break
            if isinstance(node, ast.Assign) and _names(node) == [name]:
                self._check(name, module, node.value)
                found = Declared(name, module, ast.unparse(node), _text_after(body, at), [])
                break
        else:
            raise SystemExit(f"{name} of {module} is of a kind that the reference does not know")
        if not found.doc:
            self.problems.append(f"{name} has no doc comment")
        self.problems += [f"{name}.{member.name} has no doc comment" for member in found.members if not member.doc]
        return found

    def _class(self, node: ast.ClassDef, module: str) -> Declared:
        members = list(self._members(node, node.name, module))
        bases = [ast.unparse(base) for base in node.bases]
        shown = [base for base in bases if self._is_public(base.split("[")[0], module)]
        code = f"class {node.name}{'(' + ', '.join(shown) + ')' if shown else ''}"
        return Declared(node.name, module, code, _doc(node), members)

    def _members(self, node: ast.ClassDef, name: str, module: str) -> Iterator[Member]:
        """Also those of bases that cannot be imported: whoever reads about the class does not see them elsewhere."""
        for base in node.bases:
            hidden = self._find(ast.unparse(base).split("[")[0], module)
            if hidden is not None and hidden[0].name not in self._exported:
                yield from self._members(hidden[0], name, hidden[1])
        for at, part in enumerate(node.body):
            if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from self._method(part, name, module)
            elif isinstance(part, ast.AnnAssign) and not ast.unparse(part.target).startswith("_"):
                self._check(name, module, part.annotation)
                yield Member(ast.unparse(part.target), _field(part), _text_after(node.body, at))

    def _method(self, node: Function, name: str, module: str) -> Iterator[Member]:
        if node.name == "__init__":
            # Without a doc comment it is for the package itself; what it lets be read is not.
            if _doc(node):
                self._check(name, module, node.args)
                yield Member("__init__", f"{name}({_arguments(node)})", _doc(node))
            yield from _attributes(node)
            return
        if node.name.startswith("_"):
            return
        self._check(name, module, node.args, node.returns)
        returns = "" if node.returns is None else ast.unparse(node.returns)
        if any(ast.unparse(decorator) == "property" for decorator in node.decorator_list):
            yield Member(node.name, f"{node.name}: {returns}", _doc(node))
            return
        start = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
        yield Member(node.name, f"{start}{node.name}({_arguments(node)}) -> {returns}", _doc(node))

    def _find(self, name: str, module: str) -> tuple[ast.ClassDef, str] | None:
        for node in self._modules.get(module, ast.Module([], [])).body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return node, module
            if isinstance(node, ast.ImportFrom) and node.level == 1 and name in [one.name for one in node.names]:
                return self._find(name, node.module or "")
        return None

    def _is_public(self, name: str, module: str) -> bool:
        """Whether a reader knows the name: it is exported, or none of this package's."""
        return name in self._exported or not any(name in _own_names(self._modules[one]) for one in self._modules)

    def _check(self, name: str, module: str, *annotations: ast.AST | None) -> None:
        for annotation in annotations:
            for node in ast.walk(annotation) if annotation is not None else ():
                if isinstance(node, ast.Name) and not self._is_public(node.id, module):
                    self.problems.append(f"{name} speaks of {node.id}, which is not exported")


def _own_names(module: ast.Module) -> set[str]:
    """Classes and type aliases; the variables of generics are no names of their own."""
    classes = {node.name for node in module.body if isinstance(node, ast.ClassDef)}
    aliases = [node for node in module.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)]
    return classes | {name for node in aliases for name in _names(node)}


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _assigned(module: ast.Module, name: str) -> ast.expr:
    return next(node.value for node in module.body if isinstance(node, ast.Assign) and _names(node) == [name])


def _attributes(init: Function) -> Iterator[Member]:
    arguments = {one.arg: one.annotation for one in init.args.args}
    for at, node in enumerate(init.body):
        if not isinstance(node, (ast.AnnAssign, ast.Assign)):
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if not isinstance(target, ast.Attribute) or ast.unparse(target.value) != "self" or target.attr.startswith("_"):
            continue
        kind = node.annotation if isinstance(node, ast.AnnAssign) else arguments.get(target.attr)
        code = target.attr if kind is None else f"{target.attr}: {ast.unparse(kind)}"
        yield Member(target.attr, code, _text_after(init.body, at))


def _arguments(node: Function) -> str:
    text = ast.unparse(node.args).removeprefix("self").removeprefix(", ")
    return text.replace("=", " = ")


def _field(node: ast.AnnAssign) -> str:
    default = "" if node.value is None else f" = {ast.unparse(node.value)}"
    return f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}{default}"


def _doc(node: Function | ast.ClassDef) -> str:
    return _markdown(ast.get_docstring(node) or "")


def _text_after(body: list[ast.stmt], at: int) -> str:
    """A text on its own says what the field or the alias before it is."""
    after = body[at + 1] if at + 1 < len(body) else None
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
        return _markdown(inspect.cleandoc(after.value.value))
    return ""


def _markdown(text: str) -> str:
    """Code is marked once instead of twice, and an example is a block."""
    lines: list[str] = []
    in_example = False
    for line in text.replace("``", "`").split("\n"):
        is_example = line == "..." or line.startswith((">>> ", "... "))
        if is_example != in_example:
            lines.append("```python" if is_example else "```")
        in_example = is_example
        lines.append(line[4:] if is_example else line)
    return "\n".join([*lines, "```"] if in_example else lines)


def _indented(text: str) -> str:
    return textwrap.indent(text, "  ").lstrip()


def reference(package: Package) -> str:
    """The document."""
    parts = [HEAD.rstrip()]
    known = set().union(*(modules for _, modules in CHAPTERS))
    lost = [one.name for one in package.declared if one.module not in known]
    if lost:
        raise SystemExit(f"{lost[0]} has no chapter")
    for title, modules in CHAPTERS:
        parts.append(f"## {title}")
        for one in package.declared:
            if one.module in modules:
                parts += [f"### {one.name}", f"```py\n{one.code}\n```", one.doc]
                items = [f"- `{member.code}`\\\n  " + _indented(member.doc) for member in one.members]
                parts += ["\n".join(items)] if items else []
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str]) -> int:
    """Exit code 0: the document is there and says everything."""
    package = Package(PACKAGE)
    text = reference(package)
    for problem in package.problems:
        print(problem, file=sys.stderr)
    if "--check" not in arguments:
        DOCUMENT.write_text(text, "utf-8")
    elif DOCUMENT.read_text("utf-8") != text:
        print(f"{DOCUMENT.relative_to(ROOT)} is stale: npm run reference writes it", file=sys.stderr)
        return 1
    return 1 if package.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
