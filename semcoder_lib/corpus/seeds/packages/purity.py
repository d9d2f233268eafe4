"""What keeps a function out of the corpus before anything is run: effects, randomness, classes."""

from __future__ import annotations

import ast


def words(text: str) -> frozenset[str]:
    """The words of a table."""
    return frozenset(text.split())


# Modules whose functions only compute. A program may import these and nothing else.
PURE_MODULES = words(
    """abc array base64 binascii bisect calendar cmath codecs collections collections.abc colorsys
    contextlib copy dataclasses datetime decimal difflib enum fractions functools hashlib heapq html
    itertools json keyword math numbers operator re reprlib statistics string struct textwrap types
    typing unicodedata urllib.parse zlib __future__"""
)
_FORBIDDEN_NAMES = words(
    """open input print exec eval compile __import__ globals locals vars id hash dir breakpoint exit
    quit memoryview super object help callable __name__ __file__ staticmethod classmethod property
    issubclass warn warnings random time os sys threading socket subprocess
    NotImplementedError"""
)
_FORBIDDEN_ATTRIBUTES = words(
    """now today utcnow fromtimestamp __class__ __dict__ __code__ __globals__ __subclasses__
    gettrace write read readline readlines flush seek __name__ __module__ __doc__ __wrapped__"""
)
_FORBIDDEN_NODES = (
    ast.AsyncFunctionDef, ast.ClassDef, ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Global,
    ast.Import, ast.ImportFrom, ast.With,
)  # fmt: skip
_CALLABLE_PARAMETERS = words(
    """func function f fn key_func keyfunc callback predicate pred callable cls klass self op
    comparator iteratee iteratees transform mapper reducer selector g visitor file fp stream handler
    parser logger tree node root G domain expr"""
)


def reason_against(function: ast.FunctionDef) -> str:
    """Why a function cannot be a corpus program, or an empty string. Looks at the tree alone."""
    arguments = function.args
    names = [a.arg for a in arguments.posonlyargs + arguments.args]
    required = len(names) - len(arguments.defaults)
    if not names and not arguments.vararg:
        return "no parameters"
    if any(n in _CALLABLE_PARAMETERS for n in names[:required]):
        return "takes a function, a class or an object"
    if any(d is None for d in arguments.kw_defaults):
        return "required keyword-only parameter"
    return reason_in_tree(function)


def reason_in_tree(tree: ast.AST) -> str:
    """Why a piece of code has effects or meaning that the corpus leaves out, or an empty string."""
    for node in ast.walk(tree):
        if isinstance(node, _FORBIDDEN_NODES):
            return f"contains {type(node).__name__}"
        if isinstance(node, ast.Name) and node.id in _FORBIDDEN_NAMES:
            return f"uses {node.id}"
        if isinstance(node, ast.Attribute) and node.attr in _FORBIDDEN_ATTRIBUTES:
            return f"uses .{node.attr}"
    return ""


def is_generator(function: ast.FunctionDef) -> bool:
    """Whether calling the function makes a generator (a `yield` of its own)."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef | ast.AsyncFunctionDef):
            stack.extend(ast.iter_child_nodes(node))
    return False


def weight(function: ast.FunctionDef) -> int:
    """How much there is to a function: syntax nodes of its body without the docstring."""
    documented = ast.get_docstring(function, clean=False) is not None
    return sum(1 for statement in function.body[documented:] for _ in ast.walk(statement))
