"""What real nodes are made of, without starting one."""

import io
import json
import ssl
import tarfile
from pathlib import Path

import pytest
from tests.nodes import figures

from devcluster.nodes import ZONES
from devnodes import cgroups, cluster, control_plane, debian, host, machine, network, node_config, oci, places
from devnodes.layers import merged, write_layer


def members(path: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(path) as archive:
        return {member.name: member for member in archive}


def test_a_layer_goes_through_the_folders_that_are_merged_into_usr(tmp_path: Path) -> None:
    target = tmp_path / "layer.tar"
    with write_layer(target) as layer:
        layer.merge_usr()
        layer.file("bin/tool", b"one", 0o755)
        layer.file("/usr/bin/tool", b"two")
        layer.link("usr/bin/other", "tool")
    found = members(target)
    assert found["bin"].linkname == "usr/bin"
    assert (found["usr/bin/tool"].size, found["usr/bin/tool"].mode) == (3, 0o755)
    assert found["usr/bin/other"].linkname == "tool"
    assert "bin/tool" not in found


@pytest.mark.parametrize(
    ("path", "expected"),
    [("bin/sh", "usr/bin/sh"), ("/lib/x/y.so", "usr/lib/x/y.so"), ("lib", "lib"), ("etc/passwd", "etc/passwd")],
)
def test_paths_are_relative_to_the_root(path: str, expected: str) -> None:
    assert merged(path) == expected


def test_an_archive_holds_each_layer_once_and_leaves_out_what_is_known(tmp_path: Path) -> None:
    layers = []
    for name in ("below", "above"):
        layers.append(tmp_path / f"{name}.tar")
        with write_layer(layers[-1]) as layer:
            layer.file(name, name.encode())
    images = [oci.Image("test/a:1", (layers[0],)), oci.Image("test/b:1", tuple(layers), ("run",), {"A": "b"})]
    oci.write_archive(tmp_path / "all.tar", images)
    oci.write_archive(tmp_path / "rest.tar", images[1:], known=layers[:1])
    whole, rest = members(tmp_path / "all.tar"), members(tmp_path / "rest.tar")
    assert len([name for name in whole if name.startswith("blobs/")]) == 2 + 2 * 2
    assert len([name for name in rest if name.startswith("blobs/")]) == 1 + 2
    with tarfile.open(tmp_path / "all.tar") as archive:
        index = json.load(archive.extractfile("index.json") or io.BytesIO())
    assert [found["annotations"]["io.containerd.image.name"] for found in index["manifests"]] == [
        "test/a:1",
        "test/b:1",
    ]


@pytest.mark.parametrize(
    ("package", "wanted"),
    [("nginx", True), ("zlib1g", True), ("libssl3", True), ("libllvm14", False), ("perl-base", False), ("ucf", False)],
)
def test_of_debians_packages_servers_and_libraries_are_taken(package: str, wanted: bool) -> None:
    assert debian.is_wanted(package) is wanted


def test_the_certificates_are_signed_by_the_authority_and_keys_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    control_plane.write_pki(folder, list(ZONES))
    assert (folder / "admin.key").stat().st_mode & 0o077 == 0
    assert (folder / "zone-a.crt").exists()
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    decoded = ssl._ssl._test_decode_cert(str(folder / "apiserver.crt"))  # type: ignore[attr-defined]
    assert ("IP Address", network.KUBERNETES) in decoded["subjectAltName"]


def test_nodes_have_addresses_of_their_own() -> None:
    addresses = [network.Address(number) for number in (1, 2, 3)]
    for texts in (
        {a.node for a in addresses},
        {a.pods for a in addresses},
        {a.cable for a in addresses},
        {a.ethernet for a in addresses},
    ):
        assert len(texts) == 3
    assert addresses[0].pods in str(network.cni_config(addresses[0]))


def test_a_kubelet_tells_of_itself_more_often_than_it_is_waited_for() -> None:
    config = node_config.kubelet(Path("/ca"), Path("/resolv.conf"))
    assert config["nodeLeaseDurationSeconds"] < control_plane.LOST_AFTER_SECONDS
    assert node_config.SOCKET in config["containerRuntimeEndpoint"]


def test_a_stranger_is_not_taken_for_a_machine(tmp_path: Path) -> None:
    stale = tmp_path / "pid"
    stale.write_text("1")
    assert machine.find("test-1/control-plane", stale, machine.SHARED) is None
    assert machine.find("test-1/control-plane", tmp_path / "none", machine.SHARED) is None


def test_leftovers_of_dead_sessions_are_deleted_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(cgroups, "_tops", list)
    for name in ("test-999999999", "test-mine", "dev"):
        places.folder_of(name).mkdir(parents=True)
    cluster.delete_leftovers("test-")
    assert sorted(path.name for path in places.home().iterdir()) == ["dev", "test-mine"]


def test_who_is_not_root_is_told_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    (line,) = host.obstacles()
    assert "root" in line
    assert "\n" not in line
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert host.obstacles() == ["real nodes need Linux"]


def test_all_that_is_missing_is_told_a_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr(host, "CGROUPS", tmp_path)
    monkeypatch.setattr(host, "COMMANDS", ("sh", "no-such-command"))
    monkeypatch.setattr(host, "available_memory", lambda: host.GIB)
    lines = host.obstacles()
    assert len([line for line in lines if "cgroup v1" in line]) == len(host.CONTROLLERS)
    assert "no command no-such-command" in lines
    assert "1.0 GiB of memory available, and 2 are needed" in lines


def test_the_page_tells_of_all_that_is_tried_in_real_containers() -> None:
    shown = figures.PAGE.read_text().partition(figures.BEGIN)[2].partition(figures.END)[0]
    rows = [line.split(" | ")[:2] for line in shown.splitlines()[2:]]
    assert rows == [[f"| {scenario}", ran] for scenario, ran in figures.RAN.values()]
