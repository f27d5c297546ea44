"""Check JSON by the part of JSON Schema (draft 2020-12) that this product's files use, without any package.

Slicer's Python has no ``jsonschema``; where that package is at hand the same schema files work with it.
"""

import json
import re
import reprlib
from typing import Any, Iterator, Mapping

_DEEPEST = 100  # levels of lists and objects: far fewer than what Python can take apart

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


_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 80  # of a value in a sentence


def parse(text: str) -> Any:
    """Parse JSON text that comes from elsewhere.

    :return: what ``json.loads`` returns, of which every text can be written to a file.
    :raises ValueError: it is no JSON, has numbers that are none, half characters, or is nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        _require_depth(value, _DEEPEST)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if "\\u" in text:  # only an escape can stand for half a character
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("it holds half a character, a lone surrogate") from error
    return value


def _refuse_constant(name):
    raise ValueError(f"{name} is not a number")


def _require_depth(value, levels):
    if not isinstance(value, (dict, list)):
        return
    if levels == 0:
        raise RecursionError
    for each in value.values() if isinstance(value, dict) else value:
        _require_depth(each, levels - 1)


def problems(value: Any, schema: Mapping, root: Mapping, where: str) -> Iterator[str]:
    """Yield every way in which a parsed JSON value departs from a schema, always in the same order.

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
        yield f"{where} must be of type {' or '.join(names)}, not {_brief.repr(value)}"


def _enum(value, rule, schema, root, where):
    if value not in rule:
        yield f"{where} must be one of {', '.join(map(str, rule))}, not {_brief.repr(value)}"


def _const(value, rule, schema, root, where):
    if value != rule:
        yield f"{where} must be {rule!r}, not {_brief.repr(value)}"


def _pattern(value, rule, schema, root, where):
    if isinstance(value, str) and not re.search(rule, value):
        yield f"{where} must match {rule}, not {_brief.repr(value)}"


def _minimum(value, rule, schema, root, where):
    if _is(value, "number") and value < rule:
        yield f"{where} must be at least {rule}, not {value}"


def _maximum(value, rule, schema, root, where):
    if _is(value, "number") and value > rule:
        yield f"{where} must be at most {rule}, not {value}"


def _min_length(value, rule, schema, root, where):
    if isinstance(value, str) and len(value) < rule:
        yield f"{where} must have at least {rule} characters"


def _max_length(value, rule, schema, root, where):
    if isinstance(value, str) and len(value) > rule:
        yield f"{where} must have at most {rule} characters, not {len(value)}"


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
        for name in (each for each in rule if each in value):
            yield from problems(value[name], rule[name], root, f"{where}.{name}")


def _additional_properties(value, rule, schema, root, where):
    if not isinstance(value, dict):
        return
    for name in (each for each in value if each not in schema.get("properties", {})):
        if rule is False:
            yield f"{where}.{_name(name)} is not known"
        elif rule is not True:
            yield from problems(value[name], rule, root, f"{where}.{_name(name)}")


def _name(text):
    """Return a property's name for a sentence."""
    return text if len(text) <= _brief.maxstring else f"{text[: _brief.maxstring]}..."


def _items(value, rule, schema, root, where):
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems(item, rule, root, f"{where}[{index}]")


def _ref(value, rule, schema, root, where):
    yield from problems(value, _referred(rule, root), root, where)


def _one_of(value, rule, schema, root, where):
    failures = [list(problems(value, option, root, where)) for option in rule]
    matching = sum(not failure for failure in failures)
    if matching == 0:
        likeness = [_likeness(value, option, root) for option in rule]
        meant = [failure for failure, like in zip(failures, likeness) if like == max(likeness)]
        yield from min(meant, key=len)
    elif matching > 1:
        yield f"{where} fits {matching} alternatives, which exclude each other"


def _likeness(value, option, root):
    """Rate how well a value fits an alternative by what it is called: its type, its constant properties,
    such as a kind, and how many of its properties the alternative knows.
    """
    while "$ref" in option:
        option = _referred(option["$ref"], root)
    properties = option.get("properties", {})
    if not isinstance(value, dict) or not properties:
        return (not any(_type(value, option["type"], option, root, "")) if "type" in option else False, 0, 0)
    constants = {k: rule["const"] for k, rule in properties.items() if "const" in rule}
    known = sum(name in properties for name in value) - sum(name not in properties for name in value)
    missing = sum(name not in value for name in option.get("required", ()))
    return True, all(value.get(k) == constant for k, constant in constants.items()), known - missing


def _referred(rule, root):
    target = root
    for name in rule[2:].split("/"):
        target = target[name]
    return target


_RULES = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _min_length,
    "maxLength": _max_length,
    "minItems": _min_items,
    "maxItems": _max_items,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional_properties,
    "items": _items,
    "$ref": _ref,
    "oneOf": _one_of,
}
