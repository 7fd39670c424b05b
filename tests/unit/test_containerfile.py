"""The Containerfile keeps what an image of an operator has to keep, as far as that can be read from it."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
USER = 65532


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def all_of(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    return found[max(n for n, (word, _) in enumerate(found) if word == "FROM") :]


def test_the_base_images_are_named_with_a_version() -> None:
    arguments = dict(rest.split("=", 1) for rest in all_of("ARG"))
    bases = [rest.split()[0] for rest in all_of("FROM")]
    assert bases == ["${BUILD_IMAGE}", "${RUN_IMAGE}"]
    for name in ("BUILD_IMAGE", "RUN_IMAGE"):
        assert re.fullmatch(r"[\w.-]+\.[\w./-]+:(?!latest$)[\w.-]+", arguments[name])


def test_only_what_is_needed_gets_in() -> None:
    assert all_of("ADD") == []
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [source for rest in all_of("COPY") if "--from" not in rest for source in rest.split()[:-1]]
    assert sorted(copied) == sorted(allowed)
    assert [source for source in copied if not source.startswith("dist/")] == ["requirements-runtime.lock"]
    assert any(fnmatch("dist/haapp_operator-0.1.0-py3-none-any.whl", pattern) for pattern in copied)


def test_packages_come_by_hash_and_nothing_else_is_fetched() -> None:
    installs = [rest for rest in all_of("RUN") if "pip install" in rest]
    assert len(installs) == 2
    assert all("--no-deps" in rest for rest in installs)
    assert all("--no-index" in rest or "--require-hashes" in rest for rest in installs)
    assert not re.search(r"\b(curl|wget|apt|apk|git|pip download)\b", " ".join(all_of("RUN")))
    locked = re.findall(r"^[\w.-]+==.*$", (ROOT / "requirements-runtime.lock").read_text(), re.MULTILINE)
    assert all(line.endswith("\\") for line in locked), "a package without a hash"


def test_it_runs_as_the_user_that_the_manifests_name_and_without_a_shell() -> None:
    stage = dict(last_stage())
    assert stage["USER"] == f"{USER}:{USER}"
    assert "RUN" not in stage
    pod = yaml.safe_load((ROOT / "manifests" / "base" / "deployment.yaml").read_text())["spec"]["template"]["spec"]
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (USER, USER)
    assert json.loads(stage["ENTRYPOINT"]) == pod["containers"][0]["command"]
    assert "PYTHONDONTWRITEBYTECODE=1" in stage["ENV"], "the root file system is read-only"
