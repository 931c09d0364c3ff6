"""Finds changes of event schemas that break a publisher or a reader. Pure.

Only changes known to be additive pass; an unknown keyword counts as breaking.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Contract = Mapping[str, Schema]

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "deprecated"}
)
_LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_HANDLED = frozenset({"type", "anyOf", "$ref", "properties", "required", "items", "enum", "const", "default"})


def breaking_changes(old: Contract, new: Contract) -> list[str]:
    """Describe each change from `old` to `new` that breaks a publisher or a reader."""
    broken: list[str] = []
    for name in old:
        if name in new:
            broken += _Comparison(old[name], new[name]).schemas(old[name], new[name], name)
        else:
            broken.append(f"{name}: the event was removed")
    return broken


class _Comparison:
    """Two schemas of one event, each with its own definitions."""

    def __init__(self, old_root: Schema, new_root: Schema) -> None:
        self._old_root = old_root
        self._new_root = new_root

    def schemas(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before = _by_type(self._old_root, old)
        after = _by_type(self._new_root, new)
        if before.keys() != after.keys():
            yield f"{at}: the type changed from {_types(before)} to {_types(after)}"
            return
        # A field that is always there has no default to rely on.
        if "default" in old and old.get("default") != new.get("default"):
            yield f"{at}: the default changed from {old['default']!r} to {new.get('default')!r}"
        for kind, schema in before.items():
            yield from self._same_type(schema, after[kind], at)

    def _same_type(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        yield from self._properties(old, new, at)
        yield from _values(old, new, at)
        yield from _limits(old, new, at)
        yield from _other_keywords(old, new, at)
        if "items" in old or "items" in new:
            yield from self.schemas(old.get("items", {}), new.get("items", {}), f"{at}[]")

    def _properties(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name in after:
                yield from self.schemas(schema, after[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}: the property was removed"
        was, now = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(now - was):
            yield f"{at}.{name}: publishers need not send it, and now must"
        for name in sorted((was - now) & after.keys()):
            yield f"{at}.{name}: readers could count on it, and now cannot"


def _by_type(root: Schema, schema: Schema) -> dict[str, Schema]:
    """Spell a schema out as one schema per JSON type it admits, references resolved."""
    if "$ref" in schema:
        definition = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        return _by_type(root, {**definition, **{key: schema[key] for key in schema if key != "$ref"}})
    if "anyOf" in schema:
        variants: dict[str, Schema] = {}
        for variant in schema["anyOf"]:
            for kind, spelled in _by_type(root, variant).items():
                # Two variants of one type cannot be distinguished by type; number them in their order.
                variants[kind if kind not in variants else f"{kind} {len(variants)}"] = spelled
        return variants
    kinds = schema.get("type", "anything")
    return dict.fromkeys([kinds] if isinstance(kinds, str) else kinds, schema)


def _types(variants: Mapping[str, Schema]) -> str:
    return " or ".join(variants)


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before, after = _admitted(old), _admitted(new)
    if after is None:
        return
    if before is None:
        yield f"{at}: any value was taken, and now only {after}"
    elif gone := [value for value in before if value not in after]:
        yield f"{at}: {', '.join(map(repr, gone))} no longer taken"


def _admitted(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None


def _limits(old: Schema, new: Schema, at: str) -> Iterator[str]:
    stricter: tuple[tuple[tuple[str, ...], Callable[[Any, Any], bool]], ...] = (
        (_LOWER_LIMITS, lambda before, after: after > before),
        (_UPPER_LIMITS, lambda before, after: after < before),
    )
    for keywords, narrower in stricter:
        for keyword in keywords:
            if keyword not in new:
                continue
            if keyword not in old:
                yield f"{at}: {keyword} {new[keyword]} is new"
            elif narrower(old[keyword], new[keyword]):
                yield f"{at}: {keyword} narrowed from {old[keyword]} to {new[keyword]}"


def _other_keywords(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """Nobody can tell whether one pattern admits what another did: all changes count, bar dropping it."""
    known = _ANNOTATIONS | _HANDLED | {*_LOWER_LIMITS, *_UPPER_LIMITS}
    for keyword in sorted((old.keys() | new.keys()) - known):
        if keyword in new and old.get(keyword) != new[keyword]:
            yield f"{at}: {keyword} changed from {old.get(keyword)!r} to {new[keyword]!r}"
        elif keyword == "format" and keyword not in new:
            yield f"{at}: readers could count on format {old[keyword]!r}, and now cannot"
