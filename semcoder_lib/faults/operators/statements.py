"""Operators on statements: what is missing, what is extra, what stands in the wrong place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from semcoder_lib.faults.operators.base import Edit, Place, code, is_int, number, operator


def _text(node: ast.stmt) -> str:
    """The first line of a statement, in backticks."""
    return f"`{ast.unparse(node).splitlines()[0]}`"


def _reads(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _writes(node: ast.AST) -> set[str]:
    return {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _keeps_loop_alive(place: Place) -> bool:
    """True where the statement moves a `while` loop on: without it the loop would never end."""
    around = place.loops[-1:] and place.loops[-1]
    return isinstance(around, ast.While)


@operator("missing_branch", ast.If)
def missing_branch(place: Place) -> Iterator[Edit]:
    """A case is not handled: an `if` and its block, or an `else` block, is missing."""
    node = place.node
    assert isinstance(node, ast.If)
    alone = len(place.block) == 1
    words = f"The case `if {ast.unparse(node.test)}` is not handled."
    if node.orelse:
        yield Edit(ast.If(node.test, node.body, []), f"The `else` of {_text(node)} is missing.")
        yield Edit(list(node.orelse), words)
    elif not alone:
        yield Edit([], words)


@operator("extra_branch", ast.If, ast.For, ast.Return)
def extra_branch(place: Place) -> Iterator[Edit]:
    """A special case is handled that should not be one, or a block runs without its condition."""
    node = place.node
    if isinstance(node, ast.If):
        if not node.orelse:
            words = f"The block runs always; it should run only `if {ast.unparse(node.test)}`."
            yield Edit(list(node.body), words)
    elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
        test = ast.UnaryOp(ast.Not(), node.target)
        guard = ast.If(test, [ast.Continue()], [])
        body = [guard, *node.body]
        edited = ast.For(node.target, node.iter, body, node.orelse)
        words = f"The extra check `if {ast.unparse(test)}` skips values that must be handled."
        yield Edit(edited, words)
    elif isinstance(node, ast.Return) and node.value is not None and place.scope.parameters:
        for name in place.scope.parameters[:2]:
            guard = ast.If(
                ast.UnaryOp(ast.Not(), ast.Name(name, ast.Load())),
                [ast.Return(ast.Constant(None))],
                [],
            )
            words = f"The extra check `if not {name}` returns None where a result is needed."
            yield Edit([guard, node], words)


@operator("wrong_initial_value", ast.Assign)
def wrong_initial_value(place: Place) -> Iterator[Edit]:
    """A variable starts with the wrong value."""
    node = place.node
    assert isinstance(node, ast.Assign)
    value = node.value
    made: list[ast.expr] = []
    if isinstance(value, ast.UnaryOp | ast.Constant) and is_int(value):
        old = ast.unparse(value)
        made = [number(1)] if old == "0" else [number(0)] if old in ("1", "-1") else []
        made += [number(-1)] if old == "0" else []
    elif isinstance(value, ast.Constant) and isinstance(value.value, bool):
        made = [ast.Constant(not value.value)]
    elif isinstance(value, ast.Constant) and isinstance(value.value, float):
        made = [ast.Constant(1.0 if value.value == 0.0 else 0.0)]
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and len(value.value) < 3:
        made = [ast.Constant(" " if value.value == "" else "")]
    elif (isinstance(value, ast.Call) and "inf" in ast.unparse(value)) or (
        isinstance(value, ast.Subscript) and is_int(value.slice)
    ):
        made = [number(0)]
    elif isinstance(value, ast.List) and not value.elts:
        made = [ast.List([number(0)], ast.Load())]
    for new in made:
        edited = ast.Assign(node.targets, new, lineno=0)
        yield Edit(edited, f"{code(edited)} is the wrong start; it should be {code(node)}.")


@operator("missing_return", ast.Return)
def missing_return(place: Place) -> Iterator[Edit]:
    """A value is computed but not returned."""
    node = place.node
    assert isinstance(node, ast.Return)
    if node.value is not None and not isinstance(node.value, ast.Constant):
        edited = ast.Expr(node.value)
        yield Edit(edited, f"{code(edited)} is computed but not returned.")


@operator("wrong_return", ast.Return)
def wrong_return(place: Place) -> Iterator[Edit]:
    """Another variable, or the wrong truth value, is returned."""
    node = place.node
    assert isinstance(node, ast.Return)
    value = node.value
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        edited = ast.Return(ast.Constant(not value.value))
        yield Edit(edited, f"{code(edited)} is the wrong answer; it should be {code(node)}.")
    elif isinstance(value, ast.Tuple) and len(value.elts) == 2:
        swapped = ast.Return(ast.Tuple(value.elts[::-1], ast.Load()))
        yield Edit(swapped, f"{code(swapped)} has the wrong order; it should be {code(node)}.")


@operator("early_return", ast.For, ast.While)
def early_return(place: Place) -> Iterator[Edit]:
    """The return after a loop stands inside it, so the loop ends after its first round."""
    node = place.node
    assert isinstance(node, ast.For | ast.While)
    after = place.after
    if not after or not isinstance(after[0], ast.Return) or node.orelse:
        return
    body = [*node.body, after[0]]
    loop: ast.stmt
    if isinstance(node, ast.For):
        loop = ast.For(node.target, node.iter, body, [])
    else:
        loop = ast.While(node.test, body, [])
    words = f"{_text(after[0])} stands inside the loop, so the loop ends in its first round."
    yield Edit(loop, words)


@operator("missing_statement", ast.Assign, ast.AugAssign, ast.Expr)
def missing_statement(place: Place) -> Iterator[Edit]:
    """A statement is missing."""
    node = place.node
    assert isinstance(node, ast.stmt)
    if len(place.block) < 2 or _keeps_loop_alive(place):
        return
    if isinstance(node, ast.Assign):
        # Only where the name has a value already: a NameError would be no realistic bug.
        names = _writes(node)
        before = place.block[: place.index or 0]
        known = set(place.scope.parameters).union(*[_writes(s) for s in before])
        if place.loops:
            known |= set(place.scope.assigned)
        if not names <= known:
            return
    yield Edit([], f"The statement {_text(node)} is missing.")


@operator("wrong_update", ast.AugAssign)
def wrong_update(place: Place) -> Iterator[Edit]:
    """A running value is overwritten, or moved in the wrong direction."""
    node = place.node
    assert isinstance(node, ast.AugAssign)
    if _keeps_loop_alive(place):
        return
    value = node.value
    edited: ast.stmt = ast.Assign([node.target], value, lineno=0)
    yield Edit(edited, f"{code(edited)} overwrites the value; it should be {code(node)}.")
    if isinstance(node.op, ast.Add | ast.Sub):
        op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        edited = ast.AugAssign(node.target, op, value)
        yield Edit(edited, f"{code(edited)} goes the wrong way; it should be {code(node)}.")
    elif isinstance(node.op, ast.Mult):
        edited = ast.AugAssign(node.target, ast.Add(), value)
        yield Edit(edited, f"{code(edited)} adds; it should be {code(node)}.")


@operator("wrong_jump", ast.Break, ast.Continue)
def wrong_jump(place: Place) -> Iterator[Edit]:
    """`break` for `continue`, or the other way round."""
    node = place.node
    if isinstance(node, ast.Continue):
        yield Edit(ast.Break(), "`break` ends the loop; it should be `continue`.")
    elif isinstance(node, ast.Break) and isinstance(place.loops[-1], ast.For):
        yield Edit(ast.Continue(), "`continue` goes on with the loop; it should be `break`.")


@operator("wrong_order", ast.Assign, ast.AugAssign, ast.Expr, ast.If)
def wrong_order(place: Place) -> Iterator[Edit]:
    """Two statements that depend on each other stand in the wrong order."""
    node = place.node
    assert isinstance(node, ast.stmt)
    if not isinstance(place.parent, ast.For | ast.If | ast.While) or not place.after:
        return
    following = place.after[0]
    if isinstance(following, ast.Return | ast.Break | ast.Continue | ast.FunctionDef):
        return
    if not (_writes(node) & _reads(following) or _writes(following) & _reads(node)):
        return
    if isinstance(place.parent, ast.While):
        return
    words = f"{_text(following)} runs before {_text(node)}; it should run after it."
    yield Edit([following, node], words, takes=2)


@operator("wrong_indentation", ast.For)
def wrong_indentation(place: Place) -> Iterator[Edit]:
    """The last statement of a loop stands after the loop."""
    node = place.node
    assert isinstance(node, ast.For)
    if len(node.body) < 2 or node.orelse:
        return
    last = node.body[-1]
    if isinstance(last, ast.Return | ast.Continue | ast.Break):
        return
    inner = (ast.Break, ast.Continue)
    if any(isinstance(n, inner) for n in ast.walk(last)):
        return
    loop = ast.For(node.target, node.iter, node.body[:-1], [])
    yield Edit([loop, last], f"{_text(last)} stands after the loop; it should be inside it.")


@operator("swallowed_exception", ast.Raise, ast.ExceptHandler, ast.Return)
def swallowed_exception(place: Place) -> Iterator[Edit]:
    """An error is caught or passed over where it should be raised or handled."""
    node = place.node
    if isinstance(node, ast.Raise):
        yield Edit([ast.Pass()], f"The error of {_text(node)} is passed over.")
    elif isinstance(node, ast.ExceptHandler):
        if not all(isinstance(s, ast.Pass) for s in node.body):
            edited = ast.ExceptHandler(node.type, node.name, [ast.Pass()])
            first = _text(node.body[0])
            yield Edit(edited, f"The handler only passes; it should run {first}.")
    elif isinstance(node, ast.Return) and isinstance(place.parent, ast.Try):
        handled = place.parent.handlers
        if handled and place.name == "handlers":
            yield Edit(ast.Return(ast.Constant(None)), "The handler returns None.")


@operator("mutated_default", ast.FunctionDef)
def mutated_default(place: Place) -> Iterator[Edit]:
    """A default value is wrong, or is one list that all calls share."""
    node = place.node
    assert isinstance(node, ast.FunctionDef)
    args = node.args
    for i, default in enumerate(args.defaults):
        new = _other_default(default)
        if new is not None:
            name = (args.posonlyargs + args.args)[len(args.args) - len(args.defaults) + i].arg
            defaults = [*args.defaults[:i], new, *args.defaults[i + 1 :]]
            words = f"The default `{name}={ast.unparse(new)}` is wrong; it should be "
            yield Edit(
                _signature(node, defaults=defaults), f"{words}`{name}={ast.unparse(default)}`."
            )
    # def f(a): seen = [] ...   ->   def f(a, seen=[]): ...
    first = node.body[0]
    if (
        len(place.above) > 0
        and isinstance(first, ast.Assign)
        and len(node.body) > 1
        and isinstance(first.targets[0], ast.Name)
        and isinstance(first.value, ast.List | ast.Dict | ast.Call)
        and ast.unparse(first.value) in ("[]", "{}", "set()", "list()", "dict()")
        and not args.vararg
        and not args.kwonlyargs
    ):
        name = first.targets[0].id
        arguments = ast.arguments(
            posonlyargs=args.posonlyargs,
            args=[*args.args, ast.arg(name)],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[*args.defaults, first.value],
        )
        edited = ast.FunctionDef(
            node.name, arguments, node.body[1:], node.decorator_list, node.returns, lineno=0
        )
        words = (
            f"The default `{name}={ast.unparse(first.value)}` is made once and shared by all calls."
        )
        yield Edit(edited, words)


def _other_default(node: ast.expr) -> ast.expr | None:
    if is_int(node):
        return number(1 if ast.unparse(node) == "0" else 0)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            return ast.Constant(not node.value)
        if isinstance(node.value, str):
            return ast.Constant("" if node.value else " ")
    return None


def _signature(node: ast.FunctionDef, *, defaults: list[ast.expr]) -> ast.FunctionDef:
    a = node.args
    arguments = ast.arguments(
        posonlyargs=a.posonlyargs,
        args=a.args,
        vararg=a.vararg,
        kwonlyargs=a.kwonlyargs,
        kw_defaults=a.kw_defaults,
        kwarg=a.kwarg,
        defaults=defaults,
    )
    return ast.FunctionDef(
        node.name, arguments, node.body, node.decorator_list, node.returns, lineno=0
    )


@operator("wrong_target", ast.Assign, ast.For)
def wrong_target(place: Place) -> Iterator[Edit]:
    """Two names of an unpacking are exchanged."""
    node = place.node
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
        return
    swapped = ast.Tuple(target.elts[::-1], ast.Store())
    new: ast.stmt
    if isinstance(node, ast.Assign):
        if isinstance(node.value, ast.Tuple) and {ast.unparse(e) for e in node.value.elts} == {
            ast.unparse(e) for e in target.elts
        }:
            # a, b = b, a  ->  a = b; b = a: the classic lost swap
            pairs = zip(target.elts, node.value.elts, strict=True)
            lines: list[ast.stmt] = [ast.Assign([t], v, lineno=0) for t, v in pairs]
            words = f"{code(lines[0])} overwrites a value that the next line needs."
            yield Edit(lines, f"{words} It should be {code(node)}.")
            return
        new = ast.Assign([swapped], node.value, lineno=0)
    else:
        assert isinstance(node, ast.For)
        new = ast.For(swapped, node.iter, node.body, node.orelse)
    words = (
        f"`{ast.unparse(swapped)}` has its names exchanged; it should be `{ast.unparse(target)}`."
    )
    yield Edit(new, words)
