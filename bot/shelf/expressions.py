"""Expressions in a step's texts, `{{ share / 2 }}`: the playbook's parameters, and next to nothing done with them.

They see names, constants, comparison, + - / and `if`/`else`. Jinja parses them; they are never compiled: the names become constants
and the tree is folded, so there is no call, no attribute and no loop to break out of, and nothing that could grow.
"""

import math
from collections.abc import Iterator, Mapping

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

HARMLESS = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Compare,
    nodes.Operand,
    nodes.CondExpr,
    nodes.Add,
    nodes.Sub,
    nodes.Div,
    nodes.Neg,
    nodes.And,
    nodes.Or,
    nodes.Not,
)
LONGEST = 500

Value = str | int | float | bool

_jinja = ImmutableSandboxedEnvironment()


def texts(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield every text in here and where it stands."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(inner, (*path, str(name)))


def names(text: str) -> Iterator[str]:
    """Yield the names that its expressions use.

    Raises:
        ValueError: it is not of the little that an expression may be; the message says what is wrong.
    """
    yield from (name.name for name in _parsed(text).find_all(nodes.Name))


def worked_out(text: str, chosen: Mapping[str, Value]) -> Value:
    """Return the text with every expression replaced by its value; one that is nothing else keeps its type.

    Raises:
        ValueError: it has no value with what was chosen.
    """
    try:
        return _folded(_Filled(chosen).visit(_parsed(text)))
    except (TypeError, RecursionError, nodes.Impossible):
        raise ValueError("an expression cannot be worked out") from None


def _parsed(text: str) -> nodes.Template:
    if len(text) > LONGEST:
        raise ValueError(f"this text is longer than {LONGEST} characters")
    try:
        parsed = _jinja.parse(text)
    except jinja2.TemplateSyntaxError:
        raise ValueError("this expression cannot be read; write it like {{ name }}") from None
    except RecursionError:
        raise ValueError("this expression is nested too deep") from None
    if any(not isinstance(node, HARMLESS) for node in (parsed, *parsed.find_all(nodes.Node))):
        raise ValueError("this expression does more than it may; use names, constants, comparisons, + - / and if/else only")
    return parsed


class _Filled(NodeTransformer):
    """Puts what was chosen in the place of the names."""

    def __init__(self, chosen: Mapping[str, Value]) -> None:
        self._chosen = chosen

    def visit_Name(self, node: nodes.Name) -> nodes.Const:  # noqa: N802 - jinja's name
        return nodes.Const(self._chosen[node.name], lineno=node.lineno, environment=node.environment)


def _folded(parsed: nodes.Template) -> Value:
    """A text that is one expression keeps its type; any other becomes text."""
    values = [node.as_const() for output in parsed.find_all(nodes.Output) for node in output.nodes]
    if len(values) != 1:
        return "".join(str(value) for value in values)
    only = values[0]
    if not isinstance(only, str | int | float) or (isinstance(only, float) and not math.isfinite(only)):
        raise TypeError("an expression gives text, a finite number, true or false")
    return only
