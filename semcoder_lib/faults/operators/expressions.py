"""Operators on expressions: arithmetic, comparisons, conditions, names, constants."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from semcoder_lib.faults.operators.base import (
    Edit,
    Place,
    code,
    int_of,
    is_int,
    moved,
    number,
    operator,
)


@operator("off_by_one", ast.Constant, ast.UnaryOp)
def off_by_one(place: Place) -> Iterator[Edit]:
    """A whole number is one too large or one too small."""
    node = place.node
    if not is_int(node) or isinstance(place.parent, ast.UnaryOp | ast.Slice | ast.Assign):
        return
    if isinstance(place.parent, ast.Call) and code(place.parent.func) == "`range`":
        return  # loop_bound's
    value = int_of(node)
    for by, words in ((1, "one too large"), (-1, "one too small")):
        yield Edit(number(value + by), f"The number {value + by} is {words}; it should be {value}.")


_SWAPPED_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
}


@operator("wrong_operator", ast.BinOp)
def wrong_operator(place: Place) -> Iterator[Edit]:
    """An arithmetic operator is replaced by another one."""
    node = place.node
    assert isinstance(node, ast.BinOp)
    if isinstance(node.left, ast.Constant) and isinstance(node.left.value, str):
        return
    for new in _SWAPPED_ARITHMETIC.get(type(node.op), ()):
        edited = ast.BinOp(node.left, new(), node.right)
        yield Edit(edited, f"{code(edited)} uses the wrong operator; it should be {code(node)}.")


@operator("integer_division", ast.BinOp)
def integer_division(place: Place) -> Iterator[Edit]:
    """Integer division where true division is needed, or the other way round."""
    node = place.node
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Div):
        edited = ast.BinOp(node.left, ast.FloorDiv(), node.right)
        yield Edit(edited, f"{code(edited)} drops the fraction; it should be {code(node)}.")
    elif isinstance(node.op, ast.FloorDiv):
        edited = ast.BinOp(node.left, ast.Div(), node.right)
        yield Edit(edited, f"{code(edited)} gives a float; it should be {code(node)}.")


_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def _compared(node: ast.Compare, table: dict[type[ast.cmpop], type[ast.cmpop]]) -> ast.Compare:
    return ast.Compare(node.left, [table[type(node.ops[0])](), *node.ops[1:]], node.comparators)


@operator("wrong_boundary", ast.Compare)
def wrong_boundary(place: Place) -> Iterator[Edit]:
    """A comparison includes or leaves out the boundary (`<` for `<=`)."""
    node = place.node
    assert isinstance(node, ast.Compare)
    if type(node.ops[0]) in _BOUNDARY:
        edited = _compared(node, _BOUNDARY)
        wrong = "counts" if isinstance(edited.ops[0], ast.LtE | ast.GtE) else "leaves out"
        words = f"{code(edited)} {wrong} the case of equality; it should be {code(node)}."
        yield Edit(edited, words)


@operator("wrong_comparison", ast.Compare)
def wrong_comparison(place: Place) -> Iterator[Edit]:
    """A comparison goes the wrong way (`<` for `>`, `==` for `!=`, `in` for `not in`)."""
    node = place.node
    assert isinstance(node, ast.Compare)
    if type(node.ops[0]) in _OPPOSITE:
        edited = _compared(node, _OPPOSITE)
        yield Edit(edited, f"{code(edited)} compares the wrong way; it should be {code(node)}.")


@operator("wrong_boolean", ast.BoolOp)
def wrong_boolean(place: Place) -> Iterator[Edit]:
    """`and` for `or`, or the other way round."""
    node = place.node
    assert isinstance(node, ast.BoolOp)
    new: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    edited = ast.BoolOp(new, node.values)
    joins = "either" if isinstance(new, ast.Or) else "all"
    words = f"{code(edited)} asks for {joins} of its parts; it should be {code(node)}."
    yield Edit(edited, words)


@operator("missing_condition", ast.BoolOp)
def missing_condition(place: Place) -> Iterator[Edit]:
    """One part of an `and` or `or` is forgotten."""
    node = place.node
    assert isinstance(node, ast.BoolOp)
    for i, part in enumerate(node.values):
        rest = node.values[:i] + node.values[i + 1 :]
        edited = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        yield Edit(edited, f"{code(edited)} forgets {code(part)}; it should be {code(node)}.")


@operator("negated_condition", ast.If, ast.IfExp, ast.While, ast.UnaryOp)
def negated_condition(place: Place) -> Iterator[Edit]:
    """A condition is negated, or its `not` is lost."""
    node = place.node
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            words = f"{code(node.operand)} lacks a `not`; it should be {code(node)}."
            yield Edit(node.operand, words)
        return
    assert isinstance(node, ast.If | ast.IfExp | ast.While)
    if isinstance(node.test, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
        test = ast.UnaryOp(ast.Not(), node.test)
        words = f"{code(test)} is the wrong way round; it should be {code(node.test)}."
        if isinstance(node, ast.IfExp):
            yield Edit(ast.IfExp(test, node.body, node.orelse), words)
        else:
            yield Edit(type(node)(test, node.body, node.orelse), words)


@operator("swapped_branches", ast.IfExp)
def swapped_branches(place: Place) -> Iterator[Edit]:
    """The two values of a conditional expression are exchanged."""
    node = place.node
    assert isinstance(node, ast.IfExp)
    edited = ast.IfExp(node.test, node.orelse, node.body)
    yield Edit(edited, f"{code(edited)} has its two values exchanged; it should be {code(node)}.")


@operator("wrong_variable", ast.Name)
def wrong_variable(place: Place) -> Iterator[Edit]:
    """A variable is read where another one is meant."""
    node = place.node
    assert isinstance(node, ast.Name)
    if not isinstance(node.ctx, ast.Load) or node.id not in place.scope.names:
        return
    names = place.scope.names
    near = names.index(node.id)
    others = sorted((n for n in names if n != node.id), key=lambda n: abs(names.index(n) - near))
    for other in others[:3]:
        words = f"The variable `{other}` is used where `{node.id}` is meant."
        yield Edit(ast.Name(other, ast.Load()), words)


@operator("missing_term", ast.BinOp)
def missing_term(place: Place) -> Iterator[Edit]:
    """One operand of a sum, difference or product is forgotten."""
    node = place.node
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        yield Edit(node.left, f"{code(node.left)} is incomplete; it should be {code(node)}.")
        if not isinstance(node.op, ast.Sub):
            yield Edit(node.right, f"{code(node.right)} is incomplete; it should be {code(node)}.")


@operator("wrong_index", ast.Subscript)
def wrong_index(place: Place) -> Iterator[Edit]:
    """An element is read one place too far, or from the wrong end."""
    node = place.node
    assert isinstance(node, ast.Subscript)
    if not isinstance(node.ctx, ast.Load) or isinstance(node.slice, ast.Slice):
        return
    made: list[ast.expr] = []
    if is_int(node.slice):
        value = int_of(node.slice)
        made = [number(-1 if value == 0 else 0), number(value + 1)]
    elif isinstance(node.slice, ast.Name | ast.BinOp):
        made = [moved(node.slice, 1), moved(node.slice, -1)]
    for slice_ in made:
        edited = ast.Subscript(node.value, slice_, ast.Load())
        yield Edit(edited, f"{code(edited)} reads the wrong element; it should be {code(node)}.")


@operator("wrong_key", ast.Subscript)
def wrong_key(place: Place) -> Iterator[Edit]:
    """A dictionary is asked for another key that the program uses."""
    node = place.node
    assert isinstance(node, ast.Subscript)
    key = node.slice
    if not isinstance(key, ast.Constant | ast.Name) or is_int(key):
        return
    others: list[ast.expr] = []
    for other in ast.walk(place.above[0]):
        if not isinstance(other, ast.Subscript) or type(other.slice) is not type(key):
            continue
        if ast.dump(other.slice) != ast.dump(key) and not is_int(other.slice):
            others.append(other.slice)
    shown = set()
    for new in others:
        edited = ast.Subscript(node.value, new, node.ctx)
        if code(edited) not in shown:
            shown.add(code(edited))
            yield Edit(edited, f"{code(edited)} uses the wrong key; it should be {code(node)}.")


@operator("wrong_slice", ast.Subscript)
def wrong_slice(place: Place) -> Iterator[Edit]:
    """A slice begins or ends one place off, or loses its step."""
    node = place.node
    assert isinstance(node, ast.Subscript)
    cut = node.slice
    if not isinstance(cut, ast.Slice) or not isinstance(node.ctx, ast.Load):
        return
    made = []
    if cut.lower is not None:
        made += [ast.Slice(moved(cut.lower, by), cut.upper, cut.step) for by in (1, -1)]
        made += [ast.Slice(None, cut.upper, cut.step)]
    elif cut.step is None and cut.upper is not None:
        made += [ast.Slice(ast.Constant(1), cut.upper, None)]
    if cut.upper is not None:
        made += [ast.Slice(cut.lower, moved(cut.upper, by), cut.step) for by in (1, -1)]
    if cut.step is not None:
        made += [ast.Slice(cut.lower, cut.upper, None)]
    for new in made:
        edited = ast.Subscript(node.value, new, ast.Load())
        yield Edit(edited, f"{code(edited)} takes the wrong part; it should be {code(node)}.")


@operator("wrong_text", ast.Constant)
def wrong_text(place: Place) -> Iterator[Edit]:
    """A separator or other short text is lost or changed."""
    node = place.node
    assert isinstance(node, ast.Constant)
    if not isinstance(node.value, str) or len(node.value) > 8:
        return
    if isinstance(place.parent, ast.JoinedStr | ast.Dict | ast.FormattedValue | ast.Subscript):
        return
    if isinstance(place.parent, ast.Assign):
        return  # wrong_initial_value's
    new = "" if node.value else " "
    if not new and isinstance(place.parent, ast.Call) and "split" in ast.unparse(place.parent.func):
        new = "," if node.value != "," else " "
    if node.value.isalpha():
        new = node.value.swapcase()
    yield Edit(ast.Constant(new), f"The text {new!r} is wrong; it should be {node.value!r}.")


@operator("missing_filter", ast.comprehension)
def missing_filter(place: Place) -> Iterator[Edit]:
    """The condition of a comprehension is forgotten."""
    node = place.node
    assert isinstance(node, ast.comprehension)
    for i, test in enumerate(node.ifs):
        rest = node.ifs[:i] + node.ifs[i + 1 :]
        edited = ast.comprehension(node.target, node.iter, rest, node.is_async)
        yield Edit(edited, f"The comprehension forgets the filter `if {ast.unparse(test)}`.")
