"""promtool judges the alerts, plays each of them, and reads every expression of the dashboard."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.delivery.conftest import MANIFESTS, output
from tests.programs import program
from tests.unit.test_monitoring import expressions

TESTS = Path(__file__).with_name("alerts_test.yaml")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The alerts as Prometheus reads them."""
    (rule,) = yaml.safe_load_all((MANIFESTS / "monitoring" / "alerts.yaml").read_text())
    path = tmp_path / "alerts.yaml"
    path.write_text(json.dumps(rule["spec"]))
    return path


def promtool(*arguments: str | Path) -> str:
    return output(program("promtool"), *arguments)


def test_the_alerts_are_well_formed(rules: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", rules)


def test_each_alert_fires_for_what_it_is_about_and_not_otherwise(rules: Path) -> None:
    shutil.copy(TESTS, rules.parent)
    assert "SUCCESS" in promtool("test", "rules", rules.parent / TESTS.name)


def test_every_alert_is_played() -> None:
    rule = yaml.safe_load((MANIFESTS / "monitoring" / "alerts.yaml").read_text())
    alerts = {alert["alert"] for group in rule["spec"]["groups"] for alert in group["rules"]}
    fired = {
        check["alertname"]
        for case in yaml.safe_load(TESTS.read_text())["tests"]
        for check in case["alert_rule_test"]
        if check.get("exp_alerts")
    }
    assert fired == alerts


def test_the_expressions_of_the_dashboard_are_promql(tmp_path: Path) -> None:
    filled = [re.sub(r"\$__rate_interval", "5m", expression) for expression in expressions("dashboard.json")]
    recorded: list[dict[str, Any]] = [{"record": f"panel:{n}", "expr": text} for n, text in enumerate(filled)]
    path = tmp_path / "panels.yaml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", "--lint=none", path)
