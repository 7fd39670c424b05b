"""Taking over a hand-written Deployment: its spec becomes ours, metadata and status stay with their owners."""

from typing import Any

from haapp.cluster.adoption import absorbed


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsV1": fields, **more}


def test_the_spec_of_all_managers_becomes_one_entry_of_ours() -> None:
    before = [
        entry("kubectl", {"f:metadata": {"f:labels": {"f:team": {}}}, "f:spec": {"f:r": {}, "f:a": {"f:x": {}}}}),
        entry("helm", {"f:spec": {"f:a": {"f:y": {}}, "f:b": {}}}, operation="Apply"),
    ]
    metadata, ours = absorbed(before)
    assert metadata == entry("kubectl", {"f:metadata": {"f:labels": {"f:team": {}}}})
    assert (ours["manager"], ours["operation"]) == ("ha-operator", "Apply")
    assert ours["fieldsV1"] == {"f:spec": {"f:r": {}, "f:a": {"f:x": {}, "f:y": {}}, "f:b": {}}}


def test_subresources_are_left_alone() -> None:
    scale = entry("hpa", {"f:spec": {"f:replicas": {}}}, subresource="scale")
    status = entry("kube-controller-manager", {"f:status": {}}, subresource="status")
    assert absorbed([scale, status]) == [scale, status]
