"""manifests/kind: three zones as the embedded cluster has them, and a stand-in for every made-up image of the suite."""

import re
from collections import Counter
from pathlib import Path

import yaml

from devcluster.nodes import ZONE_KEY, machines

ROOT = Path(__file__).parents[2]
KIND = ROOT / "manifests" / "kind"


def test_the_zones_are_those_of_the_embedded_cluster() -> None:
    nodes = yaml.safe_load((KIND / "cluster.yaml").read_text())["nodes"]
    assert Counter(node["labels"][ZONE_KEY] for node in nodes if node["role"] == "worker") == Counter(
        machine.zone for machine in machines()
    )


def test_every_made_up_image_has_a_stand_in() -> None:
    texts = [path.read_text() for path in (ROOT / "tests" / "cluster").glob("*.py")]
    texts.append((ROOT / "tests" / "space.py").read_text())
    needed = {image for text in texts for image in re.findall(r"\bexample/[a-z]+:\d+", text)}
    loaded = set((KIND / "stand-in" / "images.txt").read_text().split())
    assert needed - loaded <= {"example/web:3", "example/web:4"}, "images that are never to come up"
