"""`render`: the objects that an app becomes, by the very code that the operator runs."""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence

from haapp.api import InvalidSpec, Object, parse_app
from haapp.cli import documents, yamltext
from haapp.cli.documents import Document
from haapp.cli.errors import FINE, BadInput
from haapp.render import Environment, Rendered, RenderError, render

EXAMPLES = """\
  kubectl haapp render -f app.yaml
  kubectl haapp render -f apps/ -n shop -o json
  cat app.yaml | kubectl haapp render -f - --kubernetes-version 1.33
"""


def configure(parser: argparse.ArgumentParser) -> None:
    documents.add_argument(parser)
    parser.add_argument("-n", "--namespace", help="for apps that name none (default: default)")
    parser.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml")
    parser.add_argument(
        "--kubernetes-version",
        type=_version,
        metavar="MAJOR.MINOR",
        default=Environment().server_version,
        help="of the cluster that the objects are for (default: the newest that is known, %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    environment = Environment(server_version=arguments.kubernetes_version)
    results = _render_all(documents.read_apps(arguments.filenames), arguments.namespace or "default", environment)
    for document, rendered in results:
        for note in rendered.notes:
            print(f"note: {document}: {note}", file=sys.stderr)
    _write([obj for _, rendered in results for obj in rendered.objects], arguments.output)
    return FINE


def _render_all(
    apps: Iterable[Document], namespace: str, environment: Environment
) -> tuple[tuple[Document, Rendered], ...]:
    """Nothing is printed unless all can be rendered: half an application is not to be piped into `kubectl apply`."""
    results: list[tuple[Document, Rendered]] = []
    sentences: list[str] = []
    for document in apps:
        try:
            results.append(
                (document, render(parse_app(documents.in_namespace(document.object, namespace)), environment))
            )
        except InvalidSpec as error:
            sentences += [f"{document}: {wrong}" for wrong in error.errors]
        except RenderError as error:
            sentences.append(f"{document}: {error}")
    if sentences:
        raise BadInput(*sentences)
    return tuple(results)


def _write(objects: Sequence[Object], output: str) -> None:
    if output == "json":
        json.dump({"apiVersion": "v1", "kind": "List", "items": objects}, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    sys.stdout.write("---\n".join(map(yamltext.dump, objects)))


def _version(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"v?(\d+)\.(\d+)(\..*)?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not a version such as 1.37")
    return int(match[1]), int(match[2])
