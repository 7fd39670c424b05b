"""The shipper's configuration from `logSidecar.sources` and `output`, checked for what no shipper could use."""

import posixpath
import re
from typing import Final

from haapp.api.app import App
from haapp.api.objects import Object
from haapp.api.spec import LogSidecar, Output, Source
from haapp.render.errors import RenderError
from haapp.render.shippers import literals
from haapp.render.shippers.kinds import KINDS, STATE_FOLDER
from haapp.render.shippers.outputs import output_values
from haapp.render.templating import add_filter, fill_text

_TAG: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_NOT_IN_PATH: Final = re.compile(r"[\x00-\x1f\x7f,%$#{}\"'\\]|(?:^|/)\.\.(?:/|$)")
"""What a shipper would take for a list, a date, a variable or a quote; and the way out of the log folder."""

add_filter("fluent_bit", literals.write_fluent_bit)
add_filter("fluentd", literals.write_fluentd)
add_filter("vector", literals.write_vector)
add_filter("vrl_regex", literals.write_vrl_regex)
add_filter("slashed", lambda expression: f"/{expression}/")


def shipper_config(app: App, logs: LogSidecar, output: Output) -> str:
    """The text of the main configuration file. Raises RenderError on what the shipper cannot be told."""
    sources = [_source(logs, source, index) for index, source in enumerate(logs.sources)]
    if logs.shipper == "vector":
        sources = [{**source, "program": fill_text("shippers/parse.vrl.j2", source=source)} for source in sources]
    values = output_values(app, logs, output)
    return fill_text(KINDS[logs.shipper].template, state=STATE_FOLDER, sources=sources, output=values)


def _source(logs: LogSidecar, source: Source, index: int) -> Object:
    path = f"spec.logSidecar.sources[{index}]"
    file = posixpath.join(logs.directory, source.path)
    if _NOT_IN_PATH.search(file):
        raise RenderError(f"{path}.path", f"{file!r} cannot be told to a shipper; leave out .. and ,%$#{{}}\"'\\")
    tag = source.tag or re.sub(r"[^A-Za-z0-9_-]+", ".", source.path).strip(".") or "log"
    if _TAG.fullmatch(tag) is None:
        raise RenderError(f"{path}.tag", f"{tag!r} is no tag; use letters, digits, dots, dashes and underscores")
    return {
        "id": f"{source.format}_{index}",
        "path": file,
        "format": source.format,
        "expression": source.expression,
        "tag": tag,
    }
