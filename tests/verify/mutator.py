"""Mutants of a source: the same file with one small thing wrong, as a tired person could have written it."""

import ast
import copy
from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
}


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """(what was changed, the changed module), in a fixed order."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for words, change in _changes(node):
            mutant = copy.deepcopy(tree)
            twin = next(one for place, one in enumerate(ast.walk(mutant)) if place == number)
            for field, value in change.items():
                setattr(twin, field, value)
            yield f"line {getattr(node, 'lineno', 0)}: {words}", ast.fix_missing_locations(mutant)


def _changes(node: ast.AST) -> Iterator[tuple[str, dict[str, object]]]:
    """What can be made wrong in one node: the words, and the fields that change."""
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield f"{type(node.op).__name__} becomes {type(other).__name__}", {"op": other}
        for number in range(len(node.values)):
            rest = [value for place, value in enumerate(node.values) if place != number]
            yield f"part {number + 1} of a condition is gone", {"values": rest if len(rest) > 1 else [rest[0], rest[0]]}
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        other_operator = _OPERATORS[type(node.op)]
        yield f"{type(node.op).__name__} becomes {other_operator.__name__}", {"op": other_operator()}
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    else:
        yield from _flow(node)


def _flow(node: ast.AST) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(node, ast.Return) and node.value is not None and not _is(node.value, None):
        yield "returns None", {"value": ast.Constant(None)}
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield "the condition never holds", {"test": ast.Constant(False)}
        if not isinstance(node, ast.While):
            yield "the condition always holds", {"test": ast.Constant(True)}
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "a filter lets all through", {"ifs": []}


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, dict[str, object]]]:
    for number, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            changed = [other() if place == number else one for place, one in enumerate(node.ops)]
            yield f"{type(operator).__name__} becomes {other.__name__}", {"ops": changed}


def _constants(node: ast.Constant) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(node.value, bool):
        yield f"{node.value} becomes {not node.value}", {"value": not node.value}
    elif isinstance(node.value, int):
        yield f"{node.value} becomes {node.value + 1}", {"value": node.value + 1}
        yield f"{node.value} becomes {node.value - 1}", {"value": node.value - 1}


def _calls(node: ast.Call) -> Iterator[tuple[str, dict[str, object]]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in {"compare_digest", "any", "all", "fullmatch"}:
        yield f"{name} is always true", {"func": _expression("lambda *_: True"), "keywords": []}
    if name == "any":
        yield "any becomes all", {"func": ast.Name("all", ast.Load())}
    if name == "all":
        yield "all becomes any", {"func": ast.Name("any", ast.Load())}
    if name in {"removeprefix", "strip", "lower"} and isinstance(node.func, ast.Attribute):
        kept = _expression("lambda *_: None")
        kept.body = node.func.value
        yield f"{name} is gone", {"func": kept}


def _expression(source: str) -> ast.Lambda:
    made = ast.parse(source, mode="eval").body
    assert isinstance(made, ast.Lambda)
    return made


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
