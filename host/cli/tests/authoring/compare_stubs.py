"""Compares the bindings that componentize-py made with hand-written stubs.

Usage: compare_stubs.py MADE STUBS. Everything that was made has to be in the
stubs; the stubs may have more, because they serve all kinds of component.
"""

import ast
import sys
from pathlib import Path


def annotation(node):
    """A type, in one spelling: `list[str] | None` for `Optional[List[str]]`."""
    match node:
        case ast.Subscript(ast.Name("Optional"), inner):
            return f"{annotation(inner)} | None"
        case ast.Subscript(ast.Name("Union"), ast.Tuple(cases)):
            return " | ".join(map(annotation, cases))
        case ast.Subscript(ast.Name("List" | "list"), inner):
            return f"list[{annotation(inner)}]"
        case ast.BinOp(left, ast.BitOr(), right):
            return f"{annotation(left)} | {annotation(right)}"
        case None:
            return ""
        case _:
            return ast.unparse(node)


def members(node):
    """Fields, cases of an enum and functions of a class, in their order."""
    for item in node.body:
        match item:
            case ast.AnnAssign(ast.Name(name), type):
                yield f"{name}: {annotation(type)}"
            case ast.Assign([ast.Name(name)], value):
                yield f"{name} = {ast.unparse(value)}"
            case ast.FunctionDef():
                yield function(item)


def function(node):
    arguments = ", ".join(f"{a.arg}: {annotation(a.annotation)}" for a in node.args.args)
    return f"{node.name}({arguments}) -> {annotation(node.returns)}"


def contents(path):
    """What a module defines, by name."""
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.ClassDef():
                yield node.name, list(members(node))
            case ast.FunctionDef():
                yield node.name, function(node)
            case ast.Assign([ast.Name(name)], value):
                yield name, annotation(value)


def main(made, stubs):
    wrong, compared = [], 0
    for module in sorted((made / "wit_world").rglob("*.py")):
        stub = stubs / module.relative_to(made).with_suffix(".pyi")
        known = dict(contents(stub)) if stub.exists() else {}
        for name, expected in contents(module):
            # The world itself has nothing but its interfaces.
            if name == "WitWorld":
                continue
            compared += 1
            if known.get(name) != expected:
                wrong.append(f"{stub.name}: `{name}` is {known.get(name)}, and the tool makes {expected}")
    print("\n".join(wrong) or f"compared {compared}")
    return 1 if wrong or not compared else 0


sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
