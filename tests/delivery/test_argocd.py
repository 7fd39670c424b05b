"""The operator by Argo CD: in which order it comes, and that its CRD outlives everything."""

from collections.abc import Callable
from typing import Any

WAVE = "argocd.argoproj.io/sync-wave"

Kustomize = Callable[[str], tuple[dict[str, Any], ...]]


def test_the_crd_comes_before_the_operator_and_both_before_the_apps(kustomize: Kustomize) -> None:
    waves = [(obj["kind"], int(obj["metadata"]["annotations"][WAVE])) for obj in kustomize("argocd/operator")]
    assert {kind for kind, wave in waves if wave == -2} == {"CustomResourceDefinition", "Namespace"}
    assert {wave for _, wave in waves} == {-2, -1}


def test_the_crd_outlives_the_application_and_pods_know_nothing_of_waves(kustomize: Kustomize) -> None:
    by_kind = {obj["kind"]: obj for obj in kustomize("argocd/operator")}
    options = by_kind["CustomResourceDefinition"]["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
    assert set(options.split(",")) == {"Prune=false", "Delete=false"}
    assert WAVE not in by_kind["Deployment"]["spec"]["template"]["metadata"]["annotations"]
