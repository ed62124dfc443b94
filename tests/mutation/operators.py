"""Which mutations are made: cosmic-ray's operators, removed statements, and where none is made."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.operators.provider import OperatorProvider

Span = tuple[tuple[int, int], tuple[int, int]]


class RemoveStatement(Operator):  # type: ignore[misc]  # cosmic-ray is untyped
    """Replace a call, an augmented assignment or an assignment to a part by `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Yield the span of a removable statement."""
        if node.type == "simple_stmt" and _removable(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Replace the statement in place."""
        statement = node.children[0]
        prefix = statement.get_first_leaf().prefix
        node.children[0] = parso.python.tree.Keyword("pass", statement.start_pos, prefix)
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Show what becomes of a statement."""
        return (Example("count += 1\n", "pass\n"), Example("f(x)\n", "pass\n"))


def _removable(statement: Any) -> bool:
    if statement.type == "expr_stmt":
        target, operator = statement.children[:2]
        is_augmented = operator.type == "operator" and operator.value != "="
        return bool(is_augmented or target.type == "atom_expr")
    is_log = statement.get_code().strip().startswith("logger.")
    return statement.type in ("atom_expr", "power") and not is_log


_REPLACED: Final = frozenset(
    "Add_Sub Sub_Add Mul_Div Div_Mul FloorDiv_Mul Mod_Mul Pow_Mul RShift_LShift LShift_RShift "
    "BitOr_BitAnd BitAnd_BitOr BitXor_BitAnd Eq_NotEq NotEq_Eq Lt_LtE Lt_GtE LtE_Lt LtE_Gt Gt_GtE "
    "Gt_LtE GtE_Gt GtE_Lt Is_IsNot IsNot_Is Delete_USub Delete_Not Delete_Invert".split()
)
"""The replacements of the usual mutation tools: the opposite operation, the negated condition, the
moved boundary. cosmic-ray has every other one as well; most raise TypeError, and many agree on all
values that occur, as `>=` with `==` at a maximum or `|` with `+` on disjoint bits."""
_LEFT_OUT: Final = ("RemoveDecorator", "VariableReplacer", "VariableInserter")
"""They change speed only, or need arguments."""


def _is_used(name: str) -> bool:
    kind, _, change = name.partition("_")
    return change in _REPLACED if change else kind not in _LEFT_OUT


OPERATORS: Final[dict[str, type[Operator]]] = {"RemoveStatement": RemoveStatement} | {
    name: OperatorProvider()[name] for name in OperatorProvider() if _is_used(name)
}


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of one file: the occurrence-th place of an operator."""

    path: str
    line: int
    operator: str
    occurrence: int

    @property
    def key(self) -> str:
        """Unique within one state of the checkout."""
        return f"{self.path}:{self.line} {self.operator}#{self.occurrence}"

    def apply(self, source: str) -> str:
        """Return the mutated source."""
        mutated = mutate_code(source, OPERATORS[self.operator](), self.occurrence)
        if mutated is None:
            raise ValueError(f"{self.key}: the operator finds no such place")
        return str(mutated)


def mutations(path: str, source: str) -> list[list[Mutation]]:
    """Return every mutation of a file, grouped by the place that they change."""
    excluded = _excluded(ast.parse(source))
    places: dict[Span, list[Mutation]] = {}
    counts = dict.fromkeys(OPERATORS, 0)
    instances = {name: operator() for name, operator in OPERATORS.items()}
    for node in ast_nodes(get_ast(source)):
        if node.type in ("name", "newline", "string", "endmarker"):
            continue  # no operator changes them, and they are half of all nodes
        for name, operator in instances.items():
            for span in operator.mutation_positions(node):
                if node.parent.type == "dictorsetmaker" and node.type == "operator":
                    continue  # ** of a dictionary display, which is no power
                if not any(start <= span[0] and span[1] <= end for start, end in excluded):
                    found = Mutation(path, span[0][0], name, counts[name])
                    places.setdefault(span, []).append(found)
                counts[name] += 1
    return list(places.values())


def _excluded(tree: ast.Module) -> list[Span]:
    """Return the spans of what does not run, and of what changes no result.

    Decorators and caches: options of dataclasses are mypy's to check, those of caches change speed.
    `zip(strict=...)` only states that lengths agree.
    """
    nodes: list[ast.AST | None] = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef():
                nodes += [node.returns, *node.decorator_list]
            case ast.ClassDef():
                nodes += node.decorator_list
            case ast.arg() | ast.AnnAssign():
                nodes.append(node.annotation)
            case ast.Call(func=ast.Name(id="zip" | "lru_cache")):
                nodes += [keyword.value for keyword in node.keywords]
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                nodes.append(node)
    spans = []
    for found in nodes:
        if isinstance(found, ast.expr | ast.stmt):
            end = (found.end_lineno or 0, found.end_col_offset or 0)
            spans.append(((found.lineno, found.col_offset), end))
    return spans
