"""Check JSON by the part of JSON Schema (draft 2020-12) that this product's files use, without any package.

Slicer's Python has no ``jsonschema``; where that package is at hand the same schema files work with it.
"""

import re
from typing import Any, Iterator, Mapping

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "default"}


def problems(value: Any, schema: Mapping, root: Mapping, where: str) -> Iterator[str]:
    """Yield every way in which a parsed JSON value departs from a schema.

    :param value: what ``json.load`` returned.
    :param schema: the schema, or the part of ``root`` that applies to ``value``.
    :param root: the whole schema, against which ``$ref`` is resolved.
    :param where: name of ``value`` for the sentences, e.g. ``"models.json"``.
    :raises NotImplementedError: for a keyword this checker does not know, rather than passing it over.
    """
    for keyword, rule in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        if keyword not in _RULES:
            raise NotImplementedError(f"The JSON Schema keyword '{keyword}' is not supported.")
        yield from _RULES[keyword](value, rule, schema, root, where)


def _is(value, name):
    # JSON knows no bool-is-int, and 1.0 is an integer in it.
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name]) or (name == "integer" and _is_integral(value))


def _is_integral(value):
    return isinstance(value, float) and value.is_integer()


def _type(value, rule, schema, root, where):
    names = [rule] if isinstance(rule, str) else rule
    if not any(_is(value, name) for name in names):
        yield f"{where} must be of type {' or '.join(names)}, not {value!r}"


def _enum(value, rule, schema, root, where):
    if value not in rule:
        yield f"{where} must be one of {', '.join(map(str, rule))}, not {value!r}"


def _const(value, rule, schema, root, where):
    if value != rule:
        yield f"{where} must be {rule!r}, not {value!r}"


def _pattern(value, rule, schema, root, where):
    if isinstance(value, str) and not re.search(rule, value):
        yield f"{where} must match {rule}, not {value!r}"


def _minimum(value, rule, schema, root, where):
    if _is(value, "number") and value < rule:
        yield f"{where} must be at least {rule}, not {value}"


def _maximum(value, rule, schema, root, where):
    if _is(value, "number") and value > rule:
        yield f"{where} must be at most {rule}, not {value}"


def _min_length(value, rule, schema, root, where):
    if isinstance(value, str) and len(value) < rule:
        yield f"{where} must have at least {rule} characters"


def _min_items(value, rule, schema, root, where):
    if isinstance(value, list) and len(value) < rule:
        yield f"{where} must have at least {rule} entries, not {len(value)}"


def _max_items(value, rule, schema, root, where):
    if isinstance(value, list) and len(value) > rule:
        yield f"{where} must have at most {rule} entries, not {len(value)}"


def _required(value, rule, schema, root, where):
    if isinstance(value, dict):
        yield from (f"{where}.{name} is missing" for name in rule if name not in value)


def _properties(value, rule, schema, root, where):
    if isinstance(value, dict):
        for name in rule.keys() & value.keys():
            yield from problems(value[name], rule[name], root, f"{where}.{name}")


def _additional_properties(value, rule, schema, root, where):
    if not isinstance(value, dict):
        return
    for name in value.keys() - schema.get("properties", {}).keys():
        if rule is False:
            yield f"{where}.{name} is not known"
        elif rule is not True:
            yield from problems(value[name], rule, root, f"{where}.{name}")


def _items(value, rule, schema, root, where):
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems(item, rule, root, f"{where}[{index}]")


def _ref(value, rule, schema, root, where):
    target = root
    for name in rule[2:].split("/"):
        target = target[name]
    yield from problems(value, target, root, where)


def _one_of(value, rule, schema, root, where):
    failures = [list(problems(value, option, root, where)) for option in rule]
    matching = sum(not failure for failure in failures)
    if matching == 0:
        meant = [failure for option, failure in zip(rule, failures) if _constants_fit(value, option)]
        yield from min(meant or failures, key=len)
    elif matching > 1:
        yield f"{where} fits {matching} alternatives, which exclude each other"


def _constants_fit(value, option):
    """Tell whether an object has the constant properties, such as a kind, by which its alternative is
    known.
    """
    constants = {k: rule["const"] for k, rule in option.get("properties", {}).items() if "const" in rule}
    return isinstance(value, dict) and all(value.get(k) == constant for k, constant in constants.items())


_RULES = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _min_length,
    "minItems": _min_items,
    "maxItems": _max_items,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional_properties,
    "items": _items,
    "$ref": _ref,
    "oneOf": _one_of,
}
