"""The profile `observability` as it is written: what it starts, who can reach it, what its dashboard asks for."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.app import create_app
from sakuga.metric import FAMILIES
from sakuga.settings import Settings

HOUSE = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((HOUSE / "docker-compose.yml").read_text("utf-8"))
PROFILE = {name: service for name, service in COMPOSE["services"].items() if "profiles" in service}
GRAFANA = HOUSE / "observability" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "studio.json").read_text("utf-8"))
QUERIES = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
PARTS = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
SAMPLES = {family.name + part: {*family.labels, "instance", "le"} for family in FAMILIES for part in PARTS[family.kind]}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def test_the_studio_starts_without_it() -> None:
    assert set(PROFILE) == {"prometheus", "grafana"}
    assert all(service["profiles"] == ["observability"] for service in PROFILE.values())
    for name, service in COMPOSE["services"].items():
        assert name in PROFILE or not set(service.get("depends_on", ())) & set(PROFILE)


@pytest.mark.parametrize("name", PROFILE)
def test_it_is_pinned_and_reached_from_this_machine_only(name: str) -> None:
    service = PROFILE[name]
    assert re.fullmatch(r"[\w/]+:v?\d+\.\d+\.\d+", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", PROFILE)
def test_what_it_mounts_is_there_and_can_not_be_written_by_it(name: str) -> None:
    for volume in PROFILE[name]["volumes"]:
        source, _, mode = volume.partition(":")
        if source.startswith("./"):
            assert (HOUSE / source).exists(), source
            assert mode.endswith(":ro"), volume
        else:
            assert source in COMPOSE["volumes"]


def test_whoever_looks_needs_no_password_and_whoever_changes_needs_one_that_was_chosen() -> None:
    environment = PROFILE["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_SECURITY_ADMIN_PASSWORD"] == "${GRAFANA_PASSWORD:-}"
    assert 'test -n "$$GF_SECURITY_ADMIN_PASSWORD"' in PROFILE["grafana"]["entrypoint"][-1]
    assert "#GRAFANA_PASSWORD=" in (HOUSE / ".env.example").read_text("utf-8")


def test_prometheus_asks_the_gateway_by_a_name_that_it_answers_to(settings: Settings) -> None:
    (job,) = read(HOUSE / "observability" / "prometheus.yml")["scrape_configs"]
    ((target,),) = [group["targets"] for group in job["static_configs"]]
    host, _, port = target.partition(":")
    gateway = COMPOSE["services"][host]
    assert gateway["environment"]["SAKUGA_ALLOWED_HOSTS"] == host
    assert any(published.endswith(f":{port}") for published in gateway["ports"])
    assert job.get("metrics_path", "/metrics") in create_app(settings).openapi()["paths"]


def test_grafana_is_given_prometheus_and_the_dashboard() -> None:
    (source,) = read(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    asked = {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    assert asked == {source["uid"]}
    (provider,) = read(GRAFANA / "provisioning" / "dashboards" / "studio.yml")["providers"]
    mounts = [volume.split(":")[:2] for volume in PROFILE["grafana"]["volumes"]]
    assert ["./observability/grafana/dashboards", provider["options"]["path"]] in mounts
    home = PROFILE["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/studio.json"


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[f"{title}: {query}" for title, query in QUERIES])
def test_a_panel_asks_for_a_metric_that_exists_by_labels_that_it_has(title: str, query: str) -> None:
    named = set(re.findall(r"\bsakuga_\w+", query))
    assert named
    assert named <= set(SAMPLES)
    labels = set().union(*(SAMPLES[name] for name in named))
    matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", query)
    grouped = re.findall(r"(?:by|without) \(([^)]*)\)", query)
    assert {*matched, *(label.strip() for group in grouped for label in group.split(","))} <= labels
    assert query.count("(") == query.count(")")


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[f"{title}: {query}" for title, query in QUERIES])
def test_a_second_gateway_does_not_double_what_both_tell(title: str, query: str) -> None:
    of_the_studio = [name for name in re.findall(r"\bsakuga_\w+", query) if not name.startswith("sakuga_http_")]
    assert query.count("max without (instance)") == len(of_the_studio)


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        assert panel["description"].endswith(".")
        taken |= cells
