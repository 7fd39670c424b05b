"""`logSidecar.output` as what the shippers' templates ask for, with references to variables split off."""

import json
import re
from collections.abc import Container, Mapping
from typing import Final

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import Elasticsearch, Http, LogSidecar, Loki, Output
from haapp.render.errors import RenderError
from haapp.render.shippers.variables import Parts, Variable, split_variables

PATH: Final = "spec.logSidecar.output"
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]*", re.ASCII)
_URL: Final = re.compile(
    r"""(https?)://                                     # scheme
        ((?: \$\{[^}]*\} | [^][/:?#$\s] | \[[^]/]+\] )+)  # host, of which parts may be references, or [IPv6]
        (?: :([^/?\#\s]+) )?                             # port
        ([/?]\S*)?                                      # path and query
    """,
    re.ASCII | re.VERBOSE,
)
_LABEL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PORTS: Final = {"http": "80", "https": "443"}


def output_values(app: App, logs: LogSidecar, output: Output) -> Object:
    """The one output that is given: its kind and its fields."""
    known = {variable["name"] for variable in logs.env}
    if output.elasticsearch is not None:
        return _elasticsearch(app, output.elasticsearch, known)
    if output.loki is not None:
        return _loki(app, output.loki, known, logs.shipper)
    if output.http is not None:
        return _http(output.http, known)
    return {"kind": "stdout"}


def _elasticsearch(app: App, wanted: Elasticsearch, known: Container[str]) -> Object:
    host = _host(wanted.host, known, f"{PATH}.elasticsearch.host")
    return {
        "kind": "elasticsearch",
        "host": host,
        "port": wanted.port,
        "url": ("https://" if wanted.tls else "http://", *host, f":{wanted.port}"),
        "index": split_variables(wanted.index or app.name, known, f"{PATH}.elasticsearch.index"),
        "tls": wanted.tls,
    }


def _loki(app: App, wanted: Loki, known: Container[str], shipper: str) -> Object:
    path = f"{PATH}.loki.labels"
    given = wanted.labels or {"app": app.name, "namespace": app.namespace}
    labels = {name: split_variables(text, known, f"{path}.{name}") for name, text in given.items()}
    for name, text in given.items():
        if _LABEL_NAME.fullmatch(name) is None:
            raise RenderError(path, f"{name!r} is no label of Loki; use letters, digits and underscores")
        if shipper == "fluent-bit" and ("," in text or text.startswith("$") != text.startswith("${")):
            raise RenderError(f"{path}.{name}", f"fluent-bit reads {text!r} as more than text; leave out , and $")
    host = _host(wanted.host, known, f"{PATH}.loki.host")
    return {
        "kind": "loki",
        "host": host,
        "port": wanted.port,
        "url": ("http://", *host, f":{wanted.port}"),
        "labels": labels,
        "labels_json": _as_json(labels),
        "labels_list": _as_list(labels),
    }


def _http(wanted: Http, known: Container[str]) -> Object:
    path = f"{PATH}.http.url"
    match = _URL.fullmatch(wanted.url)
    if match is None:
        raise RenderError(path, f"{wanted.url!r} is no address; write for example https://logs.example.com/in")
    scheme, host, port, rest = match.groups()
    return {
        "kind": "http",
        "url": split_variables(wanted.url, known, path),
        "host": _host(host.strip("[]"), known, path),
        "port": split_variables(port or _PORTS[scheme], known, path),
        "uri": split_variables(rest or "/", known, path),
        "tls": scheme == "https",
    }


def _host(text: str, known: Container[str], path: str) -> Parts:
    parts = split_variables(text, known, path)
    for part in parts:
        if not isinstance(part, Variable) and _HOST.fullmatch(part) is None:
            raise RenderError(path, f"{text!r} is no host; write a name, an address or ${{NAME}} of logSidecar.env")
    return parts


def _as_json(labels: Mapping[str, Parts]) -> Parts:
    """The labels as one JSON object, the variables' values standing within its strings."""
    pieces: list[str | Variable] = []
    for name, parts in labels.items():
        pieces.append(f'{"," if pieces else "{"}{json.dumps(name)}:"')
        pieces += [part if isinstance(part, Variable) else json.dumps(part)[1:-1] for part in parts]
        pieces.append('"')
    return (*pieces, "}")


def _as_list(labels: Mapping[str, Parts]) -> Parts:
    """The labels as `a=b,c=d`."""
    pieces: list[str | Variable] = []
    for name, parts in labels.items():
        pieces += [f"{',' if pieces else ''}{name}=", *parts]
    return tuple(pieces)
