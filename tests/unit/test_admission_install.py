"""How the webhook is switched on: flags, environment, and the components that install it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from haapp import main
from haapp.api.names import GROUP, PLURAL, VERSION
from haapp.main import parse
from haapp.settings import ADMISSION_NAME, Admission, from_environment

COMPONENTS = Path(__file__).parents[2] / "manifests" / "components"
SYSTEM = "haapp-system"
NEEDS_KUBECTL = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not on PATH")

Object = dict[str, Any]


def test_it_is_off_unless_switched_on() -> None:
    assert parse(["--all-namespaces"]).admission is None
    assert from_environment({}).admission is None


def test_the_flags_and_the_environment_say_the_same() -> None:
    files = ["--admission-cert=/a/tls.crt", "--admission-key=/a/tls.key"]
    settings = parse(["--all-namespaces", "--admission", "--admission-port=1", "--admission-host=h", *files])
    assert settings.admission == Admission(1, "/a/tls.crt", "/a/tls.key", "h")
    assert from_environment(settings.environment()).admission == settings.admission
    assert from_environment(parse(["--all-namespaces"]).environment()).admission is None


def test_a_certificate_of_its_own_is_for_the_service() -> None:
    made = from_environment({"HAAPP_ADMISSION": "true", "POD_NAMESPACE": SYSTEM}).admission
    assert made == Admission(9443, "", "", f"{ADMISSION_NAME}.{SYSTEM}.svc")


@pytest.mark.parametrize("flag", ["--admission-cert=/a", "--admission-key=/a"])
def test_half_a_pair_is_refused(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--all-namespaces", "--admission", flag])
    assert "go together" in capsys.readouterr().err


def test_without_the_extra_a_certificate_must_be_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "find_spec", lambda _: None)
    assert parse(["--all-namespaces", "--admission", "--admission-cert=/a", "--admission-key=/b"]).admission
    with pytest.raises(SystemExit):
        parse(["--all-namespaces", "--admission"])
    assert "extra `admission`" in capsys.readouterr().err


@pytest.fixture(scope="module", params=["admission", "admission-self-signed"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Object]]:
    """What an overlay of the operator with the component comes to, by kind."""
    folder = tmp_path_factory.mktemp("overlay")
    up = os.path.relpath(COMPONENTS.parent.resolve(), folder.resolve())
    overlay = {"resources": [f"{up}/cluster-wide"], "components": [f"{up}/components/{request.param}"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    done = subprocess.run(["kubectl", "kustomize", str(folder)], check=True, capture_output=True, text=True, timeout=60)
    objects: dict[str, list[Object]] = {}
    for obj in yaml.safe_load_all(done.stdout):
        objects.setdefault(obj["kind"], []).append(obj)
    return objects


def named(built: dict[str, list[Object]], kind: str) -> Object:
    """The one of the webhook."""
    (obj,) = (obj for obj in built[kind] if obj["metadata"]["name"] == ADMISSION_NAME)
    return obj


@NEEDS_KUBECTL
def test_everything_is_valid_and_in_the_operators_namespace(built: dict[str, list[Object]]) -> None:
    cluster_scoped = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"}
    for kind, objects in built.items():
        for obj in objects:
            if kind not in {"CustomResourceDefinition", "Certificate", "Issuer"}:
                kubernetes_validate.validate(obj, "1.37", strict=True)
            if kind not in cluster_scoped | {"ValidatingWebhookConfiguration"}:
                assert obj["metadata"]["namespace"] == SYSTEM, kind
            for subject in obj.get("subjects", ()):
                assert subject["namespace"] == SYSTEM


@NEEDS_KUBECTL
def test_the_webhook_can_hold_nothing_up(built: dict[str, list[Object]]) -> None:
    (webhook,) = named(built, "ValidatingWebhookConfiguration")["webhooks"]
    assert webhook["failurePolicy"] == "Ignore"
    assert webhook["sideEffects"] == "None"
    assert webhook["timeoutSeconds"] <= 2
    (rule,) = webhook["rules"]
    assert (rule["apiGroups"], rule["apiVersions"], rule["resources"]) == ([GROUP], [VERSION], [PLURAL])
    assert rule["operations"] == ["CREATE", "UPDATE"]


@NEEDS_KUBECTL
def test_the_api_server_finds_the_operator(built: dict[str, list[Object]]) -> None:
    (webhook,) = named(built, "ValidatingWebhookConfiguration")["webhooks"]
    (deployment,) = built["Deployment"]
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    service = named(built, "Service")
    called = webhook["clientConfig"]["service"]
    assert (called["name"], called["namespace"]) == (ADMISSION_NAME, SYSTEM)
    assert called["path"] == "/validate"
    (port,) = service["spec"]["ports"]
    assert port["port"] == called["port"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    ports = {entry["name"]: entry["containerPort"] for entry in container["ports"]}
    environment = {entry["name"]: entry.get("value", SYSTEM) for entry in container["env"]}
    made = from_environment(environment).admission
    assert made
    assert ports[port["targetPort"]] == made.port
    host = f"{ADMISSION_NAME}.{SYSTEM}.svc"
    if "Certificate" in built:
        certificate = named(built, "Certificate")
        (volume,) = pod["spec"]["volumes"]
        (mount,) = container["volumeMounts"]
        assert certificate["spec"]["dnsNames"] == [host]
        assert volume["secret"] == {"secretName": certificate["spec"]["secretName"], "optional": True}
        assert {made.certificate, made.key} == {f"{mount['mountPath']}/tls.crt", f"{mount['mountPath']}/tls.key"}
        injected = named(built, "ValidatingWebhookConfiguration")["metadata"]["annotations"]
        assert injected == {"cert-manager.io/inject-ca-from": f"{SYSTEM}/{certificate['metadata']['name']}"}
    else:
        assert made == Admission(9443, "", "", host)
        assert "data" not in named(built, "Secret")


@NEEDS_KUBECTL
def test_only_the_named_objects_may_be_written(built: dict[str, list[Object]]) -> None:
    if "Certificate" in built:
        assert all(obj["metadata"]["name"] != ADMISSION_NAME for obj in built["ClusterRole"] + built["Role"])
        return
    granted = [*named(built, "Role")["rules"], *named(built, "ClusterRole")["rules"]]
    assert [(rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in granted] == [
        (["secrets"], [ADMISSION_NAME], ["get", "update"]),
        (["validatingwebhookconfigurations"], [ADMISSION_NAME], ["get", "patch"]),
    ]
