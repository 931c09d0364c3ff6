"""Extracts series names from PromQL without a full parser."""

import re

_TOKEN = re.compile(
    r"""
      (?P<comment>\#[^\n]*)
    | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:ms|[smhdwy]))+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    | (?P<other>\S)
    """,
    re.VERBOSE,
)
_CLAUSES = {"by", "without", "on", "ignoring", "group_left", "group_right"}
"""Keywords that a label list in parentheses may follow."""

_AGGREGATIONS = {
    *("sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values"),
    *("bottomk", "topk", "quantile", "limitk", "limit_ratio"),
}
_WORDS = {"and", "or", "unless", "atan2", "offset", "bool", "inf", "nan"} | _AGGREGATIONS

Token = tuple[str, str]


def metric_names(expression: str) -> set[str]:
    """Return every series that an expression selects by name."""
    tokens = [
        (kind, match[kind])
        for match in _TOKEN.finditer(expression)
        if (kind := str(match.lastgroup)) != "comment"
    ]
    names: set[str] = set()
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if text in "{[" and kind == "other":
            end = _closing(tokens, at)
            names |= _named_inside(tokens[at : end + 1])
            at = end
        elif kind == "name" and text.lower() in _CLAUSES and following == "(":
            at = _closing(tokens, at + 1)
        elif kind == "name" and following != "(" and text.lower() not in _WORDS | _CLAUSES:
            names.add(text)
        at += 1
    return names


def _closing(tokens: list[Token], opening: int) -> int:
    """Find the closing bracket; brackets inside strings are part of their token."""
    depth = 0
    for at in range(opening, len(tokens)):
        kind, text = tokens[at]
        if kind == "other":
            depth += (text in "({[") - (text in ")}]")
        if depth == 0:
            return at
    raise ValueError(f"a {tokens[opening][1]} is never closed")


def _named_inside(tokens: list[Token]) -> set[str]:
    """Find the name in {__name__="x"}; a regular expression could match any name and is refused."""
    texts = [text for _, text in tokens]
    if "__name__" not in texts:
        return set()
    at = texts.index("__name__")
    if texts[at + 1] != "=" or tokens[at + 2][0] != "string":
        raise ValueError("a name by pattern says not which series are meant")
    return {texts[at + 2][1:-1]}
