"""The log shipper: its container and volumes, and a configuration that means what the spec says."""

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.render_support import env_of, init_of, main_of, pick, pod_of, rendered

from haapp.render import RenderError
from haapp.render.shippers.literals import write_fluent_bit, write_fluentd, write_vector, write_vrl_regex
from haapp.render.shippers.variables import Variable, split_variables

NGINX_ERROR = r"^(?<time>[^ ]* [^ ]*) \[(?<level>[^\]]*)\] (?<message>.*)$"
SOURCES = [
    {"path": "access.log", "format": "nginx", "tag": "nginx.access"},
    {"path": "error.log", "format": "regex", "expression": NGINX_ERROR, "tag": "nginx.error"},
    {"path": "old/*.log", "format": "apache"},
    {"path": "app.json", "format": "json"},
    {"path": "plain.log"},
]
OUTPUTS: dict[str, dict[str, Any]] = {
    "elasticsearch": {"host": "${ES_HOST}", "port": 9243, "index": "web-$x", "tls": True},
    "loki": {"host": "loki.logs", "labels": {"team": 'a "web"', "pod": "${POD}"}},
    "http": {"url": "https://${ES_HOST}:8443/in?key=1"},
    "stdout": {},
}
ENV = [{"name": "ES_HOST", "value": "es"}, {"name": "POD", "value": "p"}]
SHIPPERS = ["fluent-bit", "fluentd", "vector"]
printable = st.text(st.characters(codec="utf-8"), max_size=30)


def logs(shipper: str, to: str = "stdout", **fields: Any) -> dict[str, Any]:
    wanted = {"shipper": shipper, "directory": "/var/log/web", "sources": SOURCES, "env": ENV}
    return {"logSidecar": {**wanted, "output": {to: OUTPUTS[to]}, **fields}}


def config_of(shipper: str, to: str = "stdout", **fields: Any) -> str:
    (text,) = pick(rendered(logs(shipper, to, **fields)), "ConfigMap")["data"].values()
    return str(text)


def read_fluentd(text: str) -> list[Any]:
    """fluentd's configuration as nested [element, argument, values, children], its quoted strings unescaped."""
    root: list[Any] = ["ROOT", "", {}, []]
    stack = [root]
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        if line.startswith("#"):
            continue
        if line.startswith("</"):
            assert line == f"</{stack.pop()[0]}>"
        elif match := re.fullmatch(r"<(\w+) ?([^>]*)>", line):
            stack[-1][3].append([match[1], match[2], {}, []])
            stack.append(stack[-1][3][-1])
        else:
            name, _, value = line.partition(" ")
            stack[-1][2][name] = unquoted(value) if value.startswith('"') else value
    assert stack == [root]
    return root


def unquoted(literal: str) -> str:
    """A double-quoted string of fluentd's, by the rules of its parser; #{...} becomes ${NAME}."""
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', literal), literal
    escapes = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "b": "\b"}

    def replaced(found: re.Match[str]) -> str:
        if found[2]:
            return f"${{{found[2]}}}"
        assert found[1], f"{literal} evaluates code"
        return escapes.get(found[1], found[1])

    return re.sub(r"\\(.)|#\{ENV\['(\w+)'\]\}|#\{", replaced, literal[1:-1])


@pytest.mark.parametrize("shipper", SHIPPERS)
def test_the_shipper_is_a_native_sidecar_beside_a_shared_folder(shipper: str) -> None:
    spec = logs(shipper)
    (container,) = init_of(spec)

    assert container["name"] == "log-shipper"
    assert container["restartPolicy"] == "Always"
    assert ":" in container["image"]
    assert {"name": "haapp-logs", "mountPath": "/var/log/web", "readOnly": True} in container["volumeMounts"]
    assert {"name": "haapp-logs", "mountPath": "/var/log/web"} in main_of(spec)["volumeMounts"]
    volumes = {it["name"]: it for it in pod_of(spec)["volumes"]}
    assert volumes["haapp-logs"]["emptyDir"] == {"sizeLimit": "256Mi"}
    assert volumes["haapp-config-log-shipper"]["configMap"] == {"name": "shop-log-shipper-config"}
    assert "emptyDir" in volumes["haapp-log-state"]
    assert {it["name"] for it in container["volumeMounts"]} == volumes.keys()
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_what_the_user_states_of_the_shipper_wins() -> None:
    own = {
        "image": "own:1",
        "resources": {"limits": {"memory": "1Gi"}},
        "securityContext": {"runAsUser": 7, "readOnlyRootFilesystem": False},
        "sizeLimit": "1Gi",
        "env": [{"name": "TMPDIR", "value": "/elsewhere"}],
    }
    spec = logs("fluentd", **own)
    (container,) = init_of(spec)

    assert container["image"] == "own:1"
    assert container["resources"] == own["resources"]
    assert container["securityContext"]["runAsUser"] == 7
    assert container["securityContext"]["readOnlyRootFilesystem"] is False
    assert env_of(container)["TMPDIR"] == "/elsewhere"
    assert pod_of(spec)["volumes"][0]["emptyDir"] == {"sizeLimit": "1Gi"}


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (
            {"name": "own", "mountPath": "/var/log/web", "subPath": "x"},
            {"name": "own", "mountPath": "/var/log/web", "subPath": "x", "readOnly": True},
        ),
        ({"name": "own", "mountPath": "/var/log/"}, {"name": "own", "mountPath": "/var/log/", "readOnly": True}),
        ({"name": "own", "mountPath": "/var/log/webs"}, None),
    ],
)
def test_a_volume_of_the_apps_at_the_folder_is_shared(mount: dict[str, Any], expected: dict[str, Any] | None) -> None:
    spec = {
        **logs("fluent-bit"),
        "app": {"volumeMounts": [mount]},
        "pod": {"volumes": [{"name": "own", "emptyDir": {}}]},
    }
    ours = [it for it in main_of(spec)["volumeMounts"] if it["name"] == "haapp-logs"]

    assert bool(ours) is (expected is None)
    assert expected is None or expected in init_of(spec)[0]["volumeMounts"]
    assert any(it["name"] == "haapp-logs" for it in pod_of(spec)["volumes"]) is (expected is None)


@pytest.mark.parametrize("output", OUTPUTS)
def test_fluentd(output: str) -> None:
    elements = read_fluentd(config_of("fluentd", output))[3]

    assert [it[0] for it in elements] == ["label", *["source"] * 5, "filter", "match"]
    paths = [(it[2]["path"], it[2]["tag"]) for it in elements[1:6]]
    assert paths == [
        ("/var/log/web/access.log", "nginx.access"),
        ("/var/log/web/error.log", "nginx.error"),
        ("/var/log/web/old/*.log", "old.log"),
        ("/var/log/web/app.json", "app.json"),
        ("/var/log/web/plain.log", "plain.log"),
    ]
    parsers = [it[3][0][2] for it in elements[1:6]]
    assert [it["@type"] for it in parsers] == ["nginx", "regexp", "apache2", "json", "none"]
    assert parsers[1]["expression"] == f"/{NGINX_ERROR}/"
    values = elements[-1][2]
    expected = {
        "elasticsearch": {"host": "${ES_HOST}", "port": "9243", "scheme": "https", "index_name": "web-$x"},
        "loki": {"url": "http://loki.logs:3100", "extra_labels": '{"team":"a \\"web\\"","pod":"${POD}"}'},
        "http": {"endpoint": "https://${ES_HOST}:8443/in?key=1"},
        "stdout": {},
    }[output]
    assert values["@type"] == output
    assert expected.items() <= values.items()
    assert len({it[2]["pos_file"] for it in elements[1:6]}) == 5


@pytest.mark.parametrize("output", OUTPUTS)
def test_fluent_bit(output: str) -> None:
    config = yaml.safe_load(config_of("fluent-bit", output))

    parsers = {it["name"]: it for it in config["parsers"]}
    inputs = config["pipeline"]["inputs"]
    assert [it["path"] for it in inputs[:2]] == ["/var/log/web/access.log", "/var/log/web/error.log"]
    assert parsers[inputs[1]["parser"]]["regex"] == f"/{NGINX_ERROR}/"
    assert parsers[inputs[3]["parser"]]["format"] == "json"
    assert "parser" not in inputs[4]
    (values,) = config["pipeline"]["outputs"]
    expected = {
        "elasticsearch": {"name": "es", "host": "${ES_HOST}", "port": 9243, "tls": True, "index": "web-$x"},
        "loki": {"name": "loki", "host": "loki.logs", "port": 3100, "labels": 'team=a "web",pod=${POD}'},
        "http": {"name": "http", "host": "${ES_HOST}", "port": "8443", "uri": "/in?key=1", "tls": True},
        "stdout": {"name": "stdout"},
    }[output]
    assert expected.items() <= values.items()


def test_fluent_bit_reads_the_combined_log_format() -> None:
    config = yaml.safe_load(config_of("fluent-bit"))
    regex = config["parsers"][0]["regex"].strip("/").replace("(?<", "(?P<")
    line = '10.0.0.1 - ann [10/Oct/2025:13:55:36 +0000] "GET /a?b HTTP/1.1" 200 15 "http://x/" "curl/8" "-"'

    match = re.match(regex, line)
    assert match is not None
    assert match.groupdict() == {
        "remote": "10.0.0.1",
        "host": "-",
        "user": "ann",
        "time": "10/Oct/2025:13:55:36 +0000",
        "method": "GET",
        "path": "/a?b",
        "code": "200",
        "size": "15",
        "referer": "http://x/",
        "agent": "curl/8",
    }


@pytest.mark.parametrize("output", OUTPUTS)
def test_vector(output: str) -> None:
    config = yaml.safe_load(config_of("vector", output))

    assert [it["include"] for it in config["sources"].values()][:2] == [
        ["/var/log/web/access.log"],
        ["/var/log/web/error.log"],
    ]
    for source, transform in zip(config["sources"], config["transforms"].values(), strict=True):
        assert transform["inputs"] == [source]
    assert config["sinks"]["output"]["inputs"] == list(config["transforms"])
    programs = [it["source"].replace("$$", "$") for it in config["transforms"].values()]
    assert "parse_nginx_log" in programs[0]
    assert f"parse_regex(.message, r'{NGINX_ERROR}')" in programs[1]
    assert "parse_apache_log" in programs[2]
    assert "parse_json" in programs[3]
    assert "parse" not in programs[4]
    expected = {
        "elasticsearch": {"endpoints": ["https://${ES_HOST}:9243"], "bulk": {"index": "web-$$x"}},
        "loki": {"endpoint": "http://loki.logs:3100", "labels": {"team": 'a "web"', "pod": "${POD}"}},
        "http": {"uri": "https://${ES_HOST}:8443/in?key=1"},
        "stdout": {"type": "console"},
    }[output]
    assert expected.items() <= config["sinks"]["output"].items()


def test_vector_is_told_to_read_variables() -> None:
    assert env_of(init_of(logs("vector"))[0])["VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION"] == "true"


@pytest.mark.parametrize(
    ("shipper", "file", "places"),
    [
        ("fluent-bit", "fluent-bit.yaml", "/fluent-bit/config/fluent-bit.yaml"),
        ("fluent-bit", "fluent-bit.conf", "/fluent-bit/config/fluent-bit.conf"),
        ("fluentd", "fluent.conf", "fluent.conf"),
        ("vector", "vector.toml", "/etc/vector/vector.toml"),
    ],
)
def test_files_of_the_users_take_the_place_of_ours(shipper: str, file: str, places: str) -> None:
    files = {file: "own {{ config }}", "more.txt": "\n"}
    wanted = {"shipper": shipper, "directory": "/var/log/web", "config": {"files": files}}
    spec = {"logSidecar": wanted}
    (container,) = init_of(spec)

    assert pick(rendered(spec), "ConfigMap")["data"] == files
    assert places in [*container.get("args", []), env_of(container).get("FLUENTD_CONF")]


def test_files_without_one_that_the_shipper_reads_are_refused() -> None:
    wanted = {"directory": "/var/log/web", "config": {"files": {"other.conf": ""}}}

    with pytest.raises(RenderError, match=r"config\.files: fluent-bit reads fluent-bit\.yaml or fluent-bit\.conf"):
        rendered({"logSidecar": wanted})


def test_a_config_map_of_the_users_takes_the_place_of_ours() -> None:
    spec = {"logSidecar": {"directory": "/var/log/web", "config": {"configMapName": "mine"}}}

    assert pick(rendered(spec), "ConfigMap") is None
    assert {"name": "haapp-config-log-shipper", "configMap": {"name": "mine"}} in pod_of(spec)["volumes"]


def test_an_image_without_versions_is_pointed_out() -> None:
    assert any("moves" in note for note in rendered(logs("fluentd", "loki")).notes)
    assert rendered(logs("fluentd", "loki", image="own:1")).notes == ()
    assert rendered(logs("fluent-bit", "loki")).notes == ()


@pytest.mark.parametrize("host", ["${ES_HOST}", "#{ENV['ES_HOST']}", '#{ENV["ES_HOST"]}'])
def test_a_variable_may_be_written_as_fluentd_does(host: str) -> None:
    output = {"elasticsearch": {"host": host}}

    assert read_fluentd(config_of("fluentd", output=output))[3][-1][2]["host"] == "${ES_HOST}"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"output": {"elasticsearch": {"host": "${OTHER}"}}},
            "refers to OTHER; add that variable to spec.logSidecar.env",
        ),
        ({"output": {"elasticsearch": {"host": "${ES_HOST"}}}, r"write \$\{NAME\}"),
        ({"output": {"elasticsearch": {"host": "${A B}"}}}, r"write \$\{NAME\}"),
        ({"output": {"elasticsearch": {"host": "#{`id`}"}}}, "is no host; write a name"),
        ({"output": {"elasticsearch": {"host": "a\nport 1"}}}, "is no host; write a name"),
        ({"output": {"loki": {"host": "l", "labels": {"a-b": "c"}}}}, "use letters, digits and underscores"),
        ({"output": {"http": {"url": "http://a b/"}}}, "write"),
        ({"output": {"http": {"url": "http:///x"}}}, "is no address; write for example"),
        ({"sources": [{"path": "../secret"}]}, r"leave out \.\."),
        ({"sources": [{"path": "a,/etc/shadow"}]}, "leave out"),
        ({"sources": [{"path": "a\n</source>"}]}, "leave out"),
        ({"sources": [{"path": "a", "tag": "a b"}]}, "is no tag; use letters"),
    ],
)
@pytest.mark.parametrize("shipper", SHIPPERS)
def test_what_cannot_be_told_to_a_shipper_is_refused(shipper: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(Exception, match=message):
        config_of(shipper, **fields)


@pytest.mark.parametrize("text", ["a,b=c", "$record"])
def test_labels_that_fluent_bit_would_read_otherwise_are_refused(text: str) -> None:
    output = {"loki": {"host": "l", "labels": {"a": text}}}

    with pytest.raises(RenderError, match=r"loki\.labels\.a: fluent-bit reads"):
        config_of("fluent-bit", output=output)
    assert (
        yaml.safe_load(config_of("vector", output=output))["sinks"]["output"]["labels"]["a"].replace("$$", "$") == text
    )


@given(printable)
@settings(max_examples=150, deadline=None)
def test_a_text_stays_one_text_in_every_syntax(text: str) -> None:
    assert unquoted(write_fluentd(text)) == text
    assert "\n" not in write_fluentd(text)
    assert yaml.safe_load(write_vector(text)).replace("$$", "$") == text.replace("$$", "$")
    assert "$" not in yaml.safe_load(write_vector(text)).replace("$$", "")
    if "${" not in text:
        assert yaml.safe_load(write_fluent_bit(text)) == text


@pytest.mark.parametrize("text", ["${A}", "a${", "${}"])
def test_fluent_bit_has_no_escape_for_a_variable(text: str) -> None:
    with pytest.raises(RenderError, match="fluent-bit takes"):
        write_fluent_bit(text)


@given(printable)
@settings(max_examples=150, deadline=None)
def test_a_regular_expression_cannot_leave_its_quotes(expression: str) -> None:
    try:
        written = write_vrl_regex(expression)
    except RenderError:
        assert expression.endswith("\\")
        return
    assert (written[:2], written[-1]) == ("r'", "'")
    assert "'" not in written[2:-1]
    assert not re.search(r"(?<!\\)(\\\\)*\\\Z", written[2:-1])


@pytest.mark.parametrize("expression", ["it's", r"it\'s", r"\\'", r"[^']+", r"\d+\'\\'"])
def test_a_quote_in_a_regular_expression_still_means_a_quote(expression: str) -> None:
    written = re.compile(write_vrl_regex(expression)[2:-1])

    for text in ("it's", "\\'", "abc", "12'\\'"):
        assert bool(written.fullmatch(text)) is bool(re.fullmatch(expression, text))


@given(st.lists(st.sampled_from(["a", "$", "{", "}", "${A}", "${B}", "x-", "\n"]), max_size=8).map("".join))
@settings(max_examples=150, deadline=None)
def test_references_are_split_off_and_nothing_is_lost(text: str) -> None:
    try:
        parts = split_variables(text, {"A", "B"}, "here")
    except RenderError:
        assert "${" in text
        return
    assert "".join(f"${{{it.name}}}" if isinstance(it, Variable) else it for it in parts) == text
    assert not any("${" in it for it in parts if isinstance(it, str))


def test_loki_labels_are_one_json_object() -> None:
    output = {"loki": {"host": "l", "labels": {"a": 'q"\\\n#{x}', "b": "${POD}"}}}
    values = read_fluentd(config_of("fluentd", output=output))[3][-1][2]

    assert json.loads(values["extra_labels"]) == {"a": 'q"\\\n#{x}', "b": "${POD}"}
