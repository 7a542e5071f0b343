"""The engine remembers an error as its class's name and its sentence, and makes it anew from them: both must be enough."""

import ast

from bot.core.errors import AiopsError
from tests.house.house import name_of, python


def errors(trees):
    """Return every class that descends from AiopsError, by name: where → the class, for each of that name."""
    classes = [(where, node) for where, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {AiopsError.__name__: {}}
    before = -1
    while before != (before := sum(map(len, found.values()))):
        for where, node in classes:
            parents = {ast.unparse(parent).rpartition(".")[2] for parent in node.bases}
            if node.name == AiopsError.__name__ or parents & found.keys():
                found.setdefault(node.name, {})[f"{where}:{node.lineno}"] = node
    return found


def doubled(found):
    return {name: sorted(nodes) for name, nodes in found.items() if len(nodes) > 1}


def wants_more(node):
    """Return whether a class cannot be made of one sentence alone."""
    makers = [part.args for part in node.body if isinstance(part, ast.FunctionDef) and part.name in ("__init__", "__new__")]
    return any(len(args.args) - len(args.defaults) > 2 or None in args.kw_defaults for args in makers)


def greedy(found):
    return sorted(name for name, nodes in found.items() if any(map(wants_more, nodes.values())))


def of_the_bot():
    return errors({name_of(path): ast.parse(path.read_text("utf-8")) for path in python("bot")})


def test_no_two_errors_of_the_bot_have_the_same_name():
    found = of_the_bot()

    assert {"OutcomeUnknown", "AwsSilent", "NotNow"} <= found.keys(), "the search finds nothing"
    assert doubled(found) == {}


def test_every_error_of_the_bot_can_be_made_of_one_sentence_alone():
    assert greedy(of_the_bot()) == []


def test_a_doubled_name_and_an_error_that_wants_more_are_noticed():
    one = (
        "class AiopsError(Exception): ...\nclass Lost(errors.AiopsError): ...\nclass Far(Lost):\n    def __init__(self, a, b): ..."
    )
    two = "class Lost(Far): ...\nclass Calm(Exception): ..."
    found = errors({"one.py": ast.parse(one), "two.py": ast.parse(two)})

    assert set(found) == {"AiopsError", "Lost", "Far"}
    assert (doubled(found), greedy(found)) == ({"Lost": ["one.py:2", "two.py:1"]}, ["Far"])
