"""Find or build the control plane: etcd, Kubernetes, kubectl and kwok, pinned by tools/cluster/go.mod.

The binaries are built once per user and per go.mod: a folder in the cache is named after the hash of go.mod and go.sum.
Two builds at once are safe: the second waits for the first, and a binary appears in the folder only when it is whole.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent

PACKAGES: Mapping[str, str] = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kwokctl": "sigs.k8s.io/kwok/cmd/kwokctl",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}

HEARTBEAT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Mode:
    """How Go compiles: its build tags, and whether code in C is let in, which needs a C compiler."""

    tags: str = ""
    cgo: bool = False


PLAIN = Mode()


@dataclass(frozen=True, slots=True)
class Program:
    """One that is not part of the control plane: the folder of the Go module that pins it, and its package."""

    module: Path
    package: str
    mode: Mode = PLAIN


NO_DISCOVERY = Mode("remove_all_sd")
"""Prometheus' service discovery brings every cloud's client along: minutes of compiling, and no rule needs it."""

PROGRAMS: Mapping[str, Program] = {
    "metrics-server": Program(TOOLS / "metrics-server", "sigs.k8s.io/metrics-server/cmd/metrics-server"),
    "kubeconform": Program(TOOLS / "kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform"),
    "kstatus": Program(TOOLS.parent / "tests" / "kstatus", "."),
    "kube-score": Program(TOOLS / "kube-score", "github.com/zegl/kube-score/cmd/kube-score"),
    "helm": Program(TOOLS / "helm", "helm.sh/helm/v4/cmd/helm"),
    "promtool": Program(TOOLS / "promtool", "github.com/prometheus/prometheus/cmd/promtool", NO_DISCOVERY),
}
"""What others made, and some tests ask: for autoscaling, and to install and judge what is shipped here."""


class BuildError(RuntimeError):
    """A binary could not be built; the message ends with what the compiler said."""


def say(text: str) -> None:
    """One progress line, shown at once even through a pipe."""
    print(text, flush=True)


def ensure_control_plane() -> Path:
    """Return the folder with every binary of `PACKAGES`, built if need be.

    A complete folder in KUBEBUILDER_ASSETS is taken as it is. Raises BuildError.
    """
    ready = os.environ.get("KUBEBUILDER_ASSETS", "")
    if ready:
        missing = missing_binaries(Path(ready), PACKAGES)
        if not missing:
            return Path(ready)
        say(f"cluster-bin: KUBEBUILDER_ASSETS={ready} lacks {', '.join(missing)}: using our own set")
    return ensure_built(TOOLS / "cluster", PACKAGES)


def ensure_program(name: str) -> Path:
    """Return the path of the binary `name` of PROGRAMS, built if need be. Raises BuildError."""
    program = PROGRAMS[name]
    return ensure_built(program.module, {name: program.package}, program.mode) / name


def ensure_built(module: Path, packages: Mapping[str, str], mode: Mode = PLAIN) -> Path:
    """Build each of `packages` (binary name to import path) of the Go module in `module`; return their folder."""
    folder = cache_folder(module)
    if not missing_binaries(folder, packages):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / ".lock"):
        missing = missing_binaries(folder, packages)
        for number, name in enumerate(missing, start=1):
            build(module, packages[name], folder / name, f"{number} of {len(missing)}", mode)
    return folder


def missing_binaries(folder: Path, names: Mapping[str, str]) -> list[str]:
    """The names without an executable in `folder`, in order."""
    return [name for name in names if not os.access(folder / name, os.X_OK)]


def cache_folder(module: Path) -> Path:
    """The per-user folder for binaries of this very go.mod and go.sum."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((module / name).read_bytes())
    return cache_home() / f"{module.name}-bin" / digest.hexdigest()[:16]


def cache_home() -> Path:
    """$XDG_CACHE_HOME/haapp, by default ~/.cache/haapp."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haapp"


def stamp_flags(go_mod: str) -> str:
    """The linker flags that make each binary report the version that `go_mod` (its text) pins."""
    settings = []
    if version := required_version(go_mod, "k8s.io/kubernetes"):
        major, minor, _ = version.removeprefix("v").split(".", 2)
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            settings += [
                f"{package}.gitVersion={version}",
                f"{package}.gitMajor={major}",
                f"{package}.gitMinor={minor}",
            ]
    if version := required_version(go_mod, "sigs.k8s.io/kwok"):
        settings.append(f"sigs.k8s.io/kwok/pkg/consts.Version={version.removeprefix('v')}")
    return " ".join(["-s", "-w", *(f"-X {setting}" for setting in settings)])


def required_version(go_mod: str, module: str) -> str | None:
    """The version of `module` in the text of a go.mod, such as v1.37.2."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    return found[1] if found else None


def build(module: Path, package: str, target: Path, progress: str, mode: Mode = PLAIN) -> None:
    """Compile one package into `target`, with a sign of life at least every HEARTBEAT_SECONDS."""
    if shutil.which("go") is None:
        raise BuildError("Go is not installed: install it, or point KUBEBUILDER_ASSETS to a folder with the binaries")
    started = time.monotonic()
    say(f"cluster-bin: {progress}: building {target.name} (the first time: minutes)")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    flags = ["-trimpath", "-ldflags", stamp_flags((module / "go.mod").read_text()), "-tags", mode.tags]
    command = ["go", "build", "-mod=readonly", *flags, "-o", str(partial), package]
    with subprocess.Popen(
        command,
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "1" if mode.cgo else "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as compiler:
        output = wait_with_heartbeat(compiler, target.name, started)
    if compiler.returncode:
        partial.unlink(missing_ok=True)
        raise BuildError(f"go build {package} failed in {module}:\n{output[-2000:]}")
    partial.replace(target)
    say(f"cluster-bin: {progress}: {target.name} ready after {time.monotonic() - started:.0f} s")


def wait_with_heartbeat(process: subprocess.Popen[str], name: str, started: float) -> str:
    """Wait for `process` and return its output; say every HEARTBEAT_SECONDS that it is still at work."""
    while True:
        try:
            return process.communicate(timeout=HEARTBEAT_SECONDS)[0]
        except subprocess.TimeoutExpired:
            say(f"cluster-bin:   {name}: {time.monotonic() - started:.0f} s, still at work")


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold `lock` among processes; say while another one holds it."""
    with lock.open("w") as handle:
        waited = 0
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waited % HEARTBEAT_SECONDS == 0:
                    say(f"{lock.parent.name}: another process is at work here, waiting ({waited} s)")
                waited += 1
                time.sleep(1)
        yield


def main(*, programs: bool = False) -> int:
    """`make cluster-bin`: the folder is the last line of the output. With `programs` build those, too.

    A program that cannot be built is only told: the tests that ask it are skipped.
    """
    try:
        folder = ensure_control_plane()
    except BuildError as error:
        print(f"cluster-bin: {error}", file=sys.stderr)
        return 1
    for name in PROGRAMS if programs else ():
        try:
            ensure_program(name)
        except BuildError as error:
            say(f"cluster-bin: without {name}, so the tests that ask it are skipped: {error}")
    say(str(folder))
    return 0
