"""PDDL text -> goal AST, with messages that give the place and the remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from langrearrange.errors import GoalError, did_you_mean
from langrearrange.world.goals.ast import (
    OBJECT_TYPES,
    RECEPTACLE_TYPES,
    And,
    Atom,
    Goal,
    Initially,
    Not,
    Or,
    Quantified,
    Variable,
)
from langrearrange.world.goals.atoms import CONSTANTS, PREDICATES

_TOKEN = re.compile(r"[()]|[^\s()]+")
MAX_DEPTH = 40
"""Deeper nesting is refused: no sentence needs it and it would exhaust Python's stack."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a goal's text stands, for messages.

    Attributes:
        name: a file or any other name of the text.
        line: line of the text's first character, counted from 1.
        column: column of the text's first character, counted from 1.
    """

    name: str = "goal"
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[_Token | _List, ...]
    line: int
    column: int


def parse_goal(text: str, source: Source | None = None) -> Goal:
    """Parse a goal.

    Args:
        text: PDDL, e.g. `(exists (?x - apple) (and (on_top ?x sofa) (hand_free)))`.
        source: where the text stands; only used in messages.

    Returns:
        The frozen AST.

    Raises:
        GoalError: `name:line:column: what is wrong; what is accepted`.
    """
    try:
        return _parsed(text)
    except GoalError:
        if source is None:
            raise
    return _Parser(source).parse(text)  # raises again, naming the place


@lru_cache(maxsize=8192)
def _parsed(text: str) -> Goal:
    """Generator, solver and env parse the same few goals again and again."""
    return _Parser(Source()).parse(text)


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source = source

    def fail(self, at: _Token | _List, message: str) -> NoReturn:
        raise GoalError(f"{self._source.name}:{at.line}:{at.column}: {message}")

    def parse(self, text: str) -> Goal:
        return self._build(self._read(text), {})

    # -- reading: characters to nested lists ---------------------------------------------------

    def _tokens(self, text: str) -> list[_Token]:
        tokens = []
        for number, line in enumerate(text.split("\n")):
            code = line.split(";", 1)[0]
            offset = self._source.column if number == 0 else 1
            for match in _TOKEN.finditer(code):
                tokens.append(
                    _Token(match[0].lower(), self._source.line + number, offset + match.start())
                )
        return tokens

    def _read(self, text: str) -> _List:
        tokens = self._tokens(text)
        nowhere = _Token("", self._source.line, self._source.column)
        if not tokens:
            self.fail(nowhere, "the goal is empty; write for example (hand_free)")
        stack: list[tuple[_Token, list[_Token | _List]]] = []
        for position, token in enumerate(tokens):
            if token.text == "(":
                if len(stack) >= MAX_DEPTH:
                    self.fail(token, f"nested deeper than {MAX_DEPTH}; simplify the goal")
                stack.append((token, []))
            elif token.text == ")":
                if not stack:
                    self.fail(token, "this ')' closes nothing; remove it")
                opened, items = stack.pop()
                done = _List(tuple(items), opened.line, opened.column)
                if stack:
                    stack[-1][1].append(done)
                    continue
                if position + 1 < len(tokens):
                    self.fail(
                        tokens[position + 1],
                        "a goal is one expression; wrap the parts in (and ...)",
                    )
                return done
            elif not stack:
                self.fail(token, f"'{token.text}' stands alone; goals are written in parentheses")
            else:
                stack[-1][1].append(token)
        self.fail(stack[-1][0], "this '(' is never closed; add ')'")

    # -- building: nested lists to the AST ----------------------------------------------------

    def _build(self, item: _Token | _List, scope: dict[str, Variable]) -> Goal:
        if isinstance(item, _Token):
            self.fail(item, f"'{item.text}' is not a formula; write it in parentheses")
        if not item.items:
            self.fail(item, "'()' is not a formula; write (and) for an always true one")
        head, *rest = item.items
        if isinstance(head, _List):
            self.fail(head, "a formula begins with a word such as and, exists or on_top")
        match head.text:
            case "and" | "or":
                parts = tuple(self._build(part, scope) for part in rest)
                return And(parts) if head.text == "and" else Or(parts)
            case "not" | "initially":
                self._count(item, head, rest, 1)
                part = self._build(rest[0], scope)
                return Not(part) if head.text == "not" else Initially(part)
            case "imply":
                self._count(item, head, rest, 2)
                left, right = (self._build(part, scope) for part in rest)
                return Or((Not(left), right))
            case "exists" | "forall":
                self._count(item, head, rest, 2)
                variables = self._variables(rest[0], scope)
                inner = scope | {v.name: v for v in variables}
                body = self._build(rest[1], inner)
                return Quantified(head.text, variables, body)
            case _:
                return self._atom(item, head, rest, scope)

    def _count(self, item: _List, head: _Token, rest: list[_Token | _List], wanted: int) -> None:
        if len(rest) != wanted:
            noun = "part" if wanted == 1 else "parts"
            self.fail(item, f"'{head.text}' takes {wanted} {noun}, {len(rest)} given")

    def _variables(self, item: _Token | _List, scope: dict[str, Variable]) -> tuple[Variable, ...]:
        if isinstance(item, _Token) or not item.items:
            self.fail(item, "expected typed variables, for example (?x - apple)")
        found: list[Variable] = []
        pending: list[_Token] = []
        items = iter(item.items)
        for token in items:
            if isinstance(token, _List):
                self.fail(token, "expected a variable such as ?x")
            if token.text != "-":
                if not re.fullmatch(r"\?[a-z][a-z0-9_]*", token.text):
                    self.fail(token, f"'{token.text}' is not a variable; variables look like ?x")
                if token.text in (*scope, *(p.text for p in pending), *(v.name for v in found)):
                    self.fail(token, f"variable {token.text} is bound twice; choose another name")
                pending.append(token)
                continue
            kind = next(items, None)
            if kind is None or not pending:
                self.fail(token, "'-' stands between variables and their type: (?x ?y - apple)")
            types = self._types(kind)
            found += [Variable(p.text, types) for p in pending]
            pending = []
        if pending:
            self.fail(
                pending[0], f"variable {pending[0].text} has no type; add '- apple' or '- object'"
            )
        return tuple(found)

    def _types(self, item: _Token | _List) -> tuple[str, ...]:
        if isinstance(item, _Token):
            return (self._type(item),)
        head = item.items[0] if item.items else None
        if not isinstance(head, _Token) or head.text != "either" or len(item.items) < 2:
            self.fail(item, "a type is a word or (either a b)")
        names = []
        for part in item.items[1:]:
            if isinstance(part, _List):
                self.fail(part, "(either ...) takes type names")
            names.append(self._type(part))
        if len({name in OBJECT_TYPES for name in names}) > 1:
            self.fail(item, "(either ...) mixes object and receptacle types; use one kind")
        return tuple(names)

    def _type(self, token: _Token) -> str:
        known = (*OBJECT_TYPES, *RECEPTACLE_TYPES)
        if token.text not in known:
            self.fail(token, f"unknown type '{token.text}'{_suggest(token.text, known)}")
        return token.text

    def _atom(
        self,
        item: _List,
        head: _Token,
        rest: list[_Token | _List],
        scope: dict[str, Variable],
    ) -> Atom:
        if head.text not in PREDICATES:
            known = (*PREDICATES, "and", "or", "not", "imply", "exists", "forall", "initially")
            self.fail(head, f"unknown predicate '{head.text}'{_suggest(head.text, known)}")
        sorts = PREDICATES[head.text].sorts
        if len(rest) != len(sorts):
            form = " ".join((head.text, *(f"<{sort}>" for sort in sorts)))
            self.fail(
                item, f"'{head.text}' takes {len(sorts)} arguments, {len(rest)} given: ({form})"
            )
        arguments = []
        for argument, sort in zip(rest, sorts, strict=True):
            if isinstance(argument, _List):
                self.fail(argument, f"expected a variable or {_article(sort)} {sort} name")
            self._check_argument(argument, sort, scope)
            arguments.append(argument.text)
        if head.text == "=":
            self._check_kinds(item, arguments, scope)
        return Atom(head.text, tuple(arguments))

    def _check_kinds(self, item: _List, names: list[str], scope: dict[str, Variable]) -> None:
        if not any(name in scope for name in names):
            self.fail(item, "'=' compares a variable with another or with a receptacle")
        if len({name in scope and scope[name].over_objects for name in names}) > 1:
            self.fail(item, "'=' compares an object with a receptacle; they are never equal")

    def _check_argument(self, token: _Token, sort: str, scope: dict[str, Variable]) -> None:
        name = token.text
        if not name.startswith("?"):
            if sort == "object":
                self.fail(
                    token,
                    f"'{name}' is not a variable; bind one first: (exists (?x - {name}) ...)"
                    if name in OBJECT_TYPES
                    else f"'{name}' is not a variable such as ?x",
                )
            if name not in CONSTANTS[sort]:
                self.fail(token, f"unknown {sort} '{name}'{_suggest(name, tuple(CONSTANTS[sort]))}")
            return
        if name not in scope:
            bound = ", ".join(scope) or "none"
            self.fail(
                token, f"variable {name} is not bound here (bound: {bound}); add a quantifier"
            )
        variable = scope[name]
        if sort != "thing" and variable.over_objects != (sort == "object"):
            kind = variable.types[0]
            wanted = f"{_article(sort)} {sort} is expected here"
            self.fail(token, f"{name} is {_article(kind)} {kind}, but {wanted}")
        if sort == "openable" and any(m not in CONSTANTS[sort] for m in variable.members):
            self.fail(token, f"{name} ranges over things that do not open; type it '- container'")


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _suggest(word: str, known: tuple[str, ...]) -> str:
    accepted = f"; accepted: {', '.join(known[:16])}{', ...' if len(known) > 16 else ''}"
    return did_you_mean(word, known) or accepted
