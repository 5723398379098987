"""The JSON Schema of routes files, and the description of every key, from the classes that read them."""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from imagegate.providers import registry
from imagegate.providers.config import Bounds
from imagegate.providers.openai_compat import OpenAICompatConfig
from imagegate.providers.routes_keys import FileKeys, ModelKeys, ProviderKeys, RequestDefaults

Schema = dict[str, Any]


def build_schema() -> Schema:
    """The schema."""
    top = _object(FileKeys)
    top["properties"]["providers"] = _named("Providers, by name.", _provider_schema())
    top["properties"]["models"] = _named("Models, by name.", _model_schema())
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "imagegate routes", **top}


def config_types() -> dict[str, type[Any]]:
    """The class of each protocol that has keys of its own."""
    found = {name: getattr(registry.load_protocol(name), "config_type", None) for name in registry.PROTOCOLS}
    return {name: kind for name, kind in found.items() if kind}


def describe_keys(kind: type[Any]) -> dict[str, str]:
    """What the class says of each of its fields, or the best-known class of a field of that name."""
    described = _documented(kind)
    return {name: text or _documented(OpenAICompatConfig).get(name, "") for name, text in described.items()}


def _documented(kind: type[Any]) -> dict[str, str]:
    [body] = [node.body for node in ast.parse(textwrap.dedent(inspect.getsource(kind))).body if hasattr(node, "body")]
    described = dict.fromkeys((entry.name for entry in fields(kind)), "")
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(following, ast.Expr):
            described[node.target.id] = " ".join(str(ast.literal_eval(following.value)).split())
    return described


def _provider_schema() -> Schema:
    common = _object(ProviderKeys)
    common["properties"]["protocol"]["enum"] = sorted(registry.PROTOCOLS)
    known = dict(common["properties"])
    conditions = []
    for protocol, kind in config_types().items():
        own = _object(kind)["properties"]
        conditions.append(
            {"if": {"properties": {"protocol": {"const": protocol}}, "required": ["protocol"]},
             "then": {"properties": own}}
        )  # fmt: skip
        known |= {key: {} for key in own if key not in known}
    # Built-in providers keep their protocol, so it may be absent; each key then is one of some protocol.
    return {"type": "object", "properties": known, "additionalProperties": False, "allOf": conditions}


def _model_schema() -> Schema:
    schema = _object(ModelKeys)
    schema["properties"]["defaults"] = _object(RequestDefaults)
    schema["properties"]["route"]["items"]["pattern"] = "^[a-z0-9][a-z0-9_-]*/.+"
    del schema["required"]  # a model that imagegate brings keeps its route
    return schema


def _named(description: str, entry: Schema) -> Schema:
    return {"type": "object", "description": description, "additionalProperties": entry}


def _object(kind: type[Any]) -> Schema:
    hints, described = get_type_hints(kind, include_extras=True), describe_keys(kind)
    properties = {name: _typed(hints[name]) | _text(described[name]) for name in described}
    required = [entry.name for entry in fields(kind) if entry.default is MISSING and entry.default_factory is MISSING]
    needs = {"required": required} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needs}


def _text(description: str) -> Schema:
    return {"description": description} if description else {}


def _typed(hint: Any) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is Annotated:
        rule = arguments[1]
        if isinstance(rule, Bounds):
            return _typed(arguments[0]) | {"minimum": rule.least, "maximum": rule.most}
        return _typed(arguments[0]) | {"pattern": f"^{rule.pattern}$"}
    if origin is tuple:
        return {"type": "array", "items": _typed(arguments[0])}
    if origin is Mapping:
        names = {} if arguments[0] is str else {"propertyNames": _typed(arguments[0])}
        return {"type": "object", **names, "additionalProperties": _typed(arguments[1])}
    return {"type": {str: "string", bool: "boolean", int: "integer", float: "number"}[hint]}
