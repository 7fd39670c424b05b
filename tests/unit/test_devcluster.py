"""The embedded cluster's tooling, as far as it needs no cluster."""

import json
import os
import signal
from pathlib import Path

import pytest
from tests.programs import program

from devcluster import audit, binaries, cluster, config, demo, nodes, shell

GO_MOD = """module example

require (
	k8s.io/kubernetes v1.37.2
	k8s.io/kubernetes-other v9.9.9 // indirect
	sigs.k8s.io/kwok v0.8.0
)
"""


def executable(path: Path) -> None:
    path.write_text("")
    path.chmod(0o755)


def test_binaries_report_the_pinned_versions() -> None:
    flags = binaries.stamp_flags(GO_MOD)
    assert "-X k8s.io/component-base/version.gitVersion=v1.37.2" in flags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=37" in flags
    assert "-X sigs.k8s.io/kwok/pkg/consts.Version=0.8.0" in flags


def test_a_module_without_kubernetes_gets_no_stamp_of_it() -> None:
    assert binaries.stamp_flags("module m\n\nrequire sigs.k8s.io/metrics-server v0.9.0\n") == "-s -w"


@pytest.mark.parametrize(
    ("module", "version"),
    [("k8s.io/kubernetes", "v1.37.2"), ("sigs.k8s.io/kwok", "v0.8.0"), ("k8s.io/kube", None), ("kwok", None)],
)
def test_required_version_takes_whole_module_paths_only(module: str, version: str | None) -> None:
    assert binaries.required_version(GO_MOD, module) == version


def test_the_cache_folder_changes_with_each_pinned_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    folders = []
    for mod, sums in [("a", "b"), ("a", "c"), ("d", "c")]:
        (tmp_path / "go.mod").write_text(mod)
        (tmp_path / "go.sum").write_text(sums)
        folders.append(binaries.cache_folder(tmp_path))
    assert len(set(folders)) == 3
    assert {folder.parent.parent for folder in folders} == {Path("/cache/haapp")}


def test_a_complete_folder_of_ready_binaries_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in binaries.PACKAGES:
        executable(tmp_path / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert binaries.ensure_control_plane() == tmp_path


def test_an_incomplete_folder_is_named_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in set(binaries.PACKAGES) - {"kwok"}:
        executable(tmp_path / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    monkeypatch.setattr(binaries, "ensure_built", lambda _module, _packages: Path("/built"))
    assert binaries.ensure_control_plane() == Path("/built")
    assert "lacks kwok:" in capsys.readouterr().out


def test_without_go_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(binaries.BuildError, match="install it, or point KUBEBUILDER_ASSETS"):
        binaries.build(tmp_path, "example", tmp_path / "tool", "1 of 1")


def test_every_binary_that_kwokctl_is_given_is_one_that_is_built() -> None:
    options = config.kwokctl_config(Path("/bin"), Path("/folder"))["options"]
    given = {Path(value).name for key, value in options.items() if key.endswith("Binary")}
    assert given == set(binaries.PACKAGES) - {"kwokctl"}
    assert "enable" not in options


def test_the_metrics_server_runs_only_when_it_is_given() -> None:
    options = config.kwokctl_config(Path("/bin"), Path("/folder"), Path("/metrics-server"))["options"]
    assert options["enable"] == ["metrics-server"]
    assert options["metricsServerBinary"] == "/metrics-server"


def test_six_machines_in_three_zones_by_default() -> None:
    manifests = [machine.manifest() for machine in nodes.machines()]
    zones = [manifest["metadata"]["labels"]["topology.kubernetes.io/zone"] for manifest in manifests]
    assert zones == ["zone-a", "zone-a", "zone-b", "zone-b", "zone-c", "zone-c"]
    names = [manifest["metadata"]["name"] for manifest in manifests]
    assert names == [manifest["metadata"]["labels"]["kubernetes.io/hostname"] for manifest in manifests]
    assert len(set(names)) == 6


def test_a_node_counts_as_ready_without_the_node_controllers_taints_only() -> None:
    node = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}, "spec": {}}
    assert nodes.is_ready(node)
    node["spec"] = {"taints": [{"key": "dedicated", "effect": "NoSchedule"}]}
    assert nodes.is_ready(node)
    node["spec"] = {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}
    assert not nodes.is_ready(node)
    assert not nodes.is_ready({"status": {}, "spec": {}})


@pytest.mark.parametrize("context", ["production", "gke_kind-of", "my-kwok-dev", ""])
def test_contexts_of_real_clusters_are_refused(context: str) -> None:
    with pytest.raises(shell.ClusterError, match="only touches contexts named kind-"):
        cluster.use_context(context)


def test_waiting_in_vain_says_for_what_and_what_was_seen() -> None:
    with pytest.raises(shell.WaitError, match=r"three pods did not come about .* last seen: \[\]"):
        shell.wait_for(list, timeout=0, what="three pods")


def test_waiting_treats_a_clusters_error_as_not_yet() -> None:
    answers = iter([shell.ClusterError("refused"), "there"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert shell.wait_for(ask, every=0) == "there"


def test_a_process_that_is_gone_is_not_alive(tmp_path: Path) -> None:
    assert shell.alive(os.getpid())
    stale = tmp_path / "stale.pid"
    stale.write_text("999999999")
    shell.terminate(stale, signal.SIGTERM)
    assert not stale.exists()


def test_leftovers_of_dead_sessions_are_deleted_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("test-999999999", f"test-{os.getpid()}", "test-mine", "dev"):
        cluster.folder_of(name).mkdir(parents=True)
    cluster.delete_leftovers("test-")
    assert cluster.names() == sorted([f"test-{os.getpid()}", "test-mine", "dev"])


def audit_line(**fields: object) -> bytes:
    event = {"stage": "ResponseComplete", "verb": "get", "requestURI": "/x", **fields}
    return json.dumps(event).encode() + b"\n"


def test_audit_counts_whole_answered_requests_after_the_mark(tmp_path: Path) -> None:
    log = audit.AuditLog(tmp_path / "audit.log")
    log.path.write_bytes(audit_line())
    mark = log.mark()
    eviction = {"resource": "pods", "subresource": "eviction", "namespace": "n", "name": "p"}
    with log.path.open("ab") as file:
        file.write(audit_line(stage="RequestReceived"))
        file.write(audit_line(verb="create", objectRef=eviction, user={"username": "u"}, responseStatus={"code": 201}))
        file.write(b'{"stage": "Resp')
    (request,) = log.since(mark)
    assert (request.verb, request.resource, request.namespace, request.name) == ("create", "pods/eviction", "n", "p")
    assert (request.user, request.code, request.is_write) == ("u", 201, True)


def test_a_dry_run_is_no_write() -> None:
    (request,) = audit.parse([audit_line(verb="patch", requestURI="/apis/x?dryRun=All&force=true")])
    assert not request.is_write


def test_a_cluster_of_somebody_elses_has_no_audit_log() -> None:
    with pytest.raises(ValueError, match="kind-x has no audit log"):
        audit.audit_log(cluster.Cluster("kind-x", Path("/config"), Path("/kubectl")))


def test_the_demo_shows_every_node_under_its_zone() -> None:
    pods = [{"metadata": {"name": "shop-1"}, "spec": {"nodeName": "n2"}}, {"metadata": {"name": "late"}, "spec": {}}]
    lines = [line.split() for line in demo.placement(pods, {"n1": "zone-b", "n2": "zone-a"})]
    assert lines == [["ZONE", "NODE", "PODS"], ["zone-a", "n2", "shop-1"], ["zone-b", "n1", "-"]]


def test_the_demo_says_what_a_lost_zone_leaves() -> None:
    app = {
        "metadata": {"name": "shop"},
        "status": {"readyReplicas": 3, "survives": {"zoneLoss": {"worst": "zone-a", "worstReadyLeft": 2}}},
    }
    assert demo.survival(app) == "shop: losing zone-a leaves 2 of 3 pods ready"
    assert "does not say" in demo.survival({"metadata": {"name": "shop"}})


def test_a_program_that_cannot_be_built_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(name: str) -> Path:
        if name == "helm":
            raise binaries.BuildError("no network")
        built.append(name)
        return tmp_path / name

    built: list[str] = []
    monkeypatch.setattr(binaries, "ensure_control_plane", lambda: tmp_path)
    monkeypatch.setattr(binaries, "ensure_program", ensure)
    assert binaries.main(programs=True) == 0
    assert set(built) == set(binaries.PROGRAMS) - {"helm"}
    told = capsys.readouterr().out.splitlines()
    assert told == ["cluster-bin: without helm, so the tests that ask it are skipped: no network", str(tmp_path)]


def test_a_test_that_asks_a_program_which_cannot_be_built_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="promtool cannot be built here: Go is not installed"):
        program("promtool")


@pytest.mark.parametrize("name", binaries.PROGRAMS)
def test_every_program_is_pinned_with_its_hashes(name: str) -> None:
    module = binaries.PROGRAMS[name].module
    assert (module / "go.sum").read_text()
    assert binaries.cache_folder(module).parent.name == f"{name}-bin"
