"""Service, Ingress, HTTPRoute, metrics and network policy."""

from typing import Any

import pytest
from tests.render_support import deployment_of, init_of, main_of, pick, rendered

from haapp.api import names
from haapp.render import Environment, RenderError

PORTS = [{"name": "admin", "containerPort": 9000}, {"name": "http", "containerPort": 8080}]
OWN = {names.LABEL_NAME: "shop", names.LABEL_COMPONENT: "app"}


def adapter(name: str, port: int, **container: Any) -> dict[str, Any]:
    return {"name": name, "image": "a", "pattern": "adapter", "metrics": {"port": port, "path": "/m"}, **container}


def service_of(spec: dict[str, Any]) -> Any:
    return pick(rendered(spec), "Service", "shop")


def annotations_of(spec: dict[str, Any]) -> Any:
    return deployment_of(spec)["spec"]["template"]["metadata"].get("annotations", {})


def test_the_service_has_the_apps_ports_by_name() -> None:
    assert service_of({"app": {"ports": PORTS}})["spec"] == {
        "selector": OWN,
        "ports": [
            {"name": "admin", "port": 9000, "targetPort": "admin", "protocol": "TCP"},
            {"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"},
        ],
    }


def test_a_port_without_a_name_gets_one() -> None:
    ports = [{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]

    assert service_of({"app": {"ports": ports}})["spec"]["ports"] == [
        {"name": "udp-53", "port": 53, "targetPort": 53, "protocol": "UDP"},
        {"name": "tcp-53", "port": 53, "targetPort": 53, "protocol": "TCP"},
    ]


def test_whatever_the_service_section_says() -> None:
    wanted = {
        "type": "LoadBalancer",
        "sessionAffinity": "ClientIP",
        "trafficDistribution": "PreferSameZone",
        "annotations": {"lb": "internal"},
    }
    service = service_of({"service": wanted})

    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["sessionAffinity"] == "ClientIP"
    assert service["spec"]["trafficDistribution"] == "PreferSameZone"
    assert service["metadata"]["annotations"]["lb"] == "internal"


def test_an_older_server_gets_what_it_knows_and_the_user_a_note() -> None:
    spec = {"service": {"trafficDistribution": "PreferSameNode"}}
    result = rendered(spec, Environment(server_version=(1, 34)))

    assert pick(result, "Service")["spec"]["trafficDistribution"] == "PreferClose"
    assert result.notes == ("trafficDistribution PreferSameNode needs Kubernetes 1.35; PreferClose is used",)


@pytest.mark.parametrize("spec", [{"service": {"enabled": False}}, {"app": {"ports": []}}])
def test_no_service_where_none_is_wanted_or_nothing_listens(spec: dict[str, Any]) -> None:
    assert service_of(spec) is None


def test_the_same_port_twice_is_refused() -> None:
    twice = [{"name": "a", "containerPort": 80, "protocol": "TCP"}]
    with pytest.raises(RenderError, match=r"metrics 80 is there twice; leave one of them out"):
        rendered({"app": {"ports": twice}, "sidecars": [adapter("x", 80)]})


def test_an_ingress_leads_to_the_port_named_http() -> None:
    wanted = {
        "className": "nginx",
        "host": "shop.example",
        "path": "/x",
        "tlsSecretName": "tls",
        "annotations": {"a": "b"},
    }
    ingress = pick(rendered({"app": {"ports": PORTS}, "ingress": wanted}), "Ingress")

    backend = {"service": {"name": "shop", "port": {"name": "http"}}}
    assert ingress["spec"] == {
        "ingressClassName": "nginx",
        "tls": [{"secretName": "tls", "hosts": ["shop.example"]}],
        "rules": [
            {
                "host": "shop.example",
                "http": {"paths": [{"path": "/x", "pathType": "Prefix", "backend": backend}]},
            }
        ],
    }
    assert ingress["metadata"]["annotations"]["a"] == "b"


def test_without_a_port_named_http_the_first_is_taken() -> None:
    ingress = pick(rendered({"app": {"ports": PORTS[:1]}, "ingress": {"tlsSecretName": "tls"}}), "Ingress")

    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] == {"name": "admin"}
    assert ingress["spec"]["tls"] == [{"secretName": "tls"}]


ROUTE = {"parentRefs": [{"name": "gate", "namespace": "infra"}], "hostnames": ["shop.example"], "path": "/x"}


def test_a_route_leads_to_the_service() -> None:
    assert pick(rendered({"route": ROUTE}), "HTTPRoute")["spec"] == {
        "parentRefs": ROUTE["parentRefs"],
        "hostnames": ["shop.example"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/x"}}],
                "backendRefs": [{"name": "shop", "port": 8080}],
            }
        ],
    }


def test_what_the_server_does_not_have_is_left_out_and_said() -> None:
    spec = {"route": ROUTE, "monitoring": {"port": "http", "podMonitor": True}}
    result = rendered(spec, Environment(apis=frozenset()))

    assert pick(result, "HTTPRoute") is None
    assert pick(result, "PodMonitor") is None
    assert result.notes == (
        "HTTPRoute is not rendered: gateway.networking.k8s.io/v1 is not installed",
        "PodMonitor is not rendered: monitoring.coreos.com/v1 is not installed",
    )


@pytest.mark.parametrize("port", ["admin", 9000])
def test_metrics_of_a_port_that_the_app_has(port: str | int) -> None:
    spec = {"app": {"ports": PORTS}, "monitoring": {"port": port, "path": "/m", "podMonitor": True}}

    assert annotations_of(spec) == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9000",
        "prometheus.io/path": "/m",
    }
    monitor = pick(rendered(spec), "PodMonitor")["spec"]
    assert monitor == {"selector": {"matchLabels": OWN}, "podMetricsEndpoints": [{"port": "admin", "path": "/m"}]}
    assert len(main_of(spec)["ports"]) == 2


def test_metrics_of_a_port_that_is_only_stated_there() -> None:
    spec = {"monitoring": {"port": 9100, "podMonitor": True}}

    assert main_of(spec)["ports"][1] == {"name": "metrics", "containerPort": 9100}
    assert pick(rendered(spec), "PodMonitor")["spec"]["podMetricsEndpoints"] == [
        {"port": "metrics", "path": "/metrics"}
    ]
    assert [it["name"] for it in service_of(spec)["spec"]["ports"]] == ["http"]


def test_an_adapters_metrics_are_on_the_service_and_in_the_annotations() -> None:
    spec = {"sidecars": [adapter("one", 9102)]}

    assert service_of(spec)["spec"]["ports"][1] == {
        "name": "metrics",
        "port": 9102,
        "targetPort": 9102,
        "protocol": "TCP",
    }
    assert annotations_of(spec)["prometheus.io/port"] == "9102"
    assert annotations_of(spec)["prometheus.io/path"] == "/m"
    assert init_of(spec)[0]["ports"] == [{"name": "metrics", "containerPort": 9102}]


def test_several_sources_of_metrics_have_names_of_their_own() -> None:
    named = adapter("two", 2, ports=[{"name": "prom", "containerPort": 2, "protocol": "TCP"}])
    spec = {"monitoring": {"port": 9, "podMonitor": True}, "sidecars": [adapter("one", 1), named, adapter("three", 3)]}
    result = rendered(spec)

    assert [it["port"] for it in pick(result, "PodMonitor")["spec"]["podMetricsEndpoints"]] == [
        "metrics",
        "metrics-2",
        "prom",
        "metrics-3",
    ]
    assert [it["name"] for it in service_of(spec)["spec"]["ports"]] == ["http", "metrics-2", "prom", "metrics-3"]
    assert result.notes == ()
    assert annotations_of(spec)["prometheus.io/port"] == "9"


def test_what_the_annotations_leave_out_is_said() -> None:
    result = rendered({"sidecars": [adapter("one", 1), adapter("two", 2)]})

    assert result.notes == ("The scrape annotations can name one port; with monitoring.podMonitor also 2 is scraped",)


def test_two_adapter_ports_of_one_name_are_refused() -> None:
    named = adapter("one", 1, ports=[{"name": "http", "containerPort": 1, "protocol": "TCP"}])
    with pytest.raises(
        RenderError, match=r"spec\.sidecars: one names its port http as another one is; name it otherwise"
    ):
        rendered({"sidecars": [named]})


def test_an_annotation_that_says_otherwise_is_refused() -> None:
    spec = {"monitoring": {"port": 9100}, "pod": {"annotations": {"prometheus.io/port": "1"}}}

    with pytest.raises(RenderError, match=r"spec\.pod\.annotations\[prometheus\.io/port\].*'9100'; leave it out"):
        rendered(spec)


PEER = {"podSelector": {"matchLabels": {"app": "gate"}}}
DNS = {"ports": [{"port": 53, "protocol": "UDP"}]}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"from": [PEER]}, {"policyTypes": ["Ingress"], "ingress": [{"from": [PEER]}]}),
        ({"from": []}, {"policyTypes": ["Ingress"]}),
        ({"egress": [DNS]}, {"policyTypes": ["Egress"], "egress": [DNS]}),
        ({"egress": []}, {"policyTypes": ["Egress"]}),
        (
            {"from": [PEER], "egress": [DNS]},
            {"policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [PEER]}], "egress": [DNS]},
        ),
    ],
)
def test_a_policy_lets_by_what_is_listed(wanted: dict[str, Any], expected: dict[str, Any]) -> None:
    policy = pick(rendered({"networkPolicy": wanted}), "NetworkPolicy")

    assert policy["spec"] == {"podSelector": {"matchLabels": OWN}, **expected}


@pytest.mark.parametrize("wanted", [{}, {"networkPolicy": {}}])
def test_no_policy_without_a_list(wanted: dict[str, Any]) -> None:
    assert pick(rendered(wanted), "NetworkPolicy") is None


@pytest.mark.parametrize(
    ("ports", "warned"),
    [
        ([{"port": 443}], True),
        ([{"port": 100, "endPort": 200}], True),
        ([{"port": 53}], False),
        ([{"port": 1, "endPort": 100}], False),
        ([{"port": "dns"}], False),
        ([{"protocol": "UDP"}], False),
        ([], False),
    ],
)
def test_a_policy_that_cuts_off_dns_is_pointed_out(ports: list[Any], warned: bool) -> None:
    ports = [{"protocol": "UDP", **port} for port in ports]

    assert bool(rendered({"networkPolicy": {"egress": [{"ports": ports}]}}).notes) is warned
