"""The gateway's addresses in Markdown, from its OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from docs.table import NOTHING, table

SHARED = {"ErrorDocument", "ErrorDetail"}  # described once, at the top of the page
Json = Mapping[str, Any]


def describe(document: Json) -> str:
    """Return all addresses, group by group, and after them the documents that they speak of."""
    parts = []
    for tag in document["tags"]:
        parts.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}")
        parts += [
            _route(method.upper(), path, route)
            for path, methods in document["paths"].items()
            for method, route in methods.items()
            if tag["name"] in route["tags"]
        ]
    parts.append("## Documents")
    schemas = document["components"]["schemas"]
    parts += [_schema(name, schema) for name, schema in sorted(schemas.items()) if name not in SHARED]
    return "\n\n".join(parts)


def _route(method: str, path: str, route: Json) -> str:
    parts = [f"### {method} {path}", f"{route['summary']}. {route['description']}"]
    rows = [
        (
            f"`{given['name']}`",
            given["in"],
            _given(given["schema"], required=given["required"]),
            given.get("description"),
        )
        for given in route.get("parameters", [])
    ]
    if rows:
        parts.append(table(("Parameter", "In", "Takes", "What it is"), rows))
    if body := route.get("requestBody"):
        parts.append(f"Body: {_content(body)}.")
    answers = sorted(route["responses"].items())
    parts.append(table(("Answer", "Body", "Means"), ((code, _content(said), _means(said)) for code, said in answers)))
    return "\n\n".join(parts)


def _means(answer: Json) -> str:
    words = str(answer["description"])
    return "It worked." if words == "Successful Response" else words


def _content(answer: Json) -> str:
    for kind, content in answer.get("content", {}).items():
        schema = content.get("schema", {})
        if choices := schema.get("oneOf", [schema] if "$ref" in schema else []):
            return " or ".join(_link(choice) for choice in choices)
        if not kind.startswith("application/json"):
            return f"`{kind}`"
    return NOTHING


def _schema(name: str, schema: Json) -> str:
    parts = [f"### {name}", str(schema.get("description", ""))]
    if "enum" in schema:
        parts.append(f"One of {_choices(schema['enum'])}.")
    else:
        parts.append(table(("Field", "Is", "Example", "What it is"), _fields(schema)))
    return "\n\n".join(part for part in parts if part)


def _fields(schema: Json) -> Iterator[tuple[object, ...]]:
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        example = next(iter(field.get("examples", [])), None)
        shown = "" if example is None or isinstance(example, dict | list) else f"`{example}`"
        yield f"`{name}`", _given(field, required=name in required), shown, field.get("description")


def _given(schema: Json, *, required: bool) -> str:
    """Describe a field. One that may be left out is null by that alone, which need not be said."""
    if required:
        return _kind(schema)
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice.get("type") != "null"]
    words = " or ".join(_kind(choice) for choice in choices)
    return words if "default" in words else f"{words}, optional"


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return _link(schema)
    if choices := schema.get("anyOf"):
        return " or ".join(_kind(choice) for choice in choices)
    if "enum" in schema:
        return f"one of {_choices(schema['enum'])}"
    if "type" not in schema:
        return "anything"
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    words = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "null": "null",
        "object": "object",
    }
    return words[schema["type"]] + _bounds(schema)


def _bounds(schema: Json) -> str:
    parts = []
    if "minimum" in schema and ("maximum" in schema or "exclusiveMaximum" in schema):
        last = schema.get("maximum", schema.get("exclusiveMaximum", 0) - 1)
        parts.append(f"{schema['minimum']:.0f} to {last:.0f}")
    elif "exclusiveMinimum" in schema:
        last = f", up to {schema['maximum']:.0f}" if "maximum" in schema else ""
        parts.append(f"above {schema['exclusiveMinimum']:.0f}{last}")
    if "maxLength" in schema:
        parts.append(f"up to {schema['maxLength']} characters")
    if "default" in schema and schema["default"] != "":
        parts.append(f"default `{schema['default']}`")
    return "".join(f", {part}" for part in parts)


def _choices(values: list[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _link(schema: Json) -> str:
    name = schema["$ref"].rpartition("/")[2]
    return "[error](#errors)" if name in SHARED else f"[{name}](#{name.lower()})"
