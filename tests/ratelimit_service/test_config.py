from __future__ import annotations

from pathlib import Path

import pytest

from ratelimit_service import config, matching
from ratelimit_service.model import MAX_UINT32, Entry, FixedWindow, Limit, TokenBucket, Unit
from service_kit.faults import ConfigurationError

SHIPPED = Path(__file__).parents[2] / "limits" / "config"


def load(directory: Path, *texts: str) -> config.Limits:
    for number, text in enumerate(texts):
        (directory / f"{number}.yaml").write_text(text)
    return config.load(directory)


def faults(directory: Path, *texts: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(directory, *texts)
    return [str(fault).replace(f"{directory}/", "") for fault in caught.value.faults]


def limit(limits: config.Limits, domain: str, *entries: Entry) -> Limit | None:
    node = matching.match(limits.domains[domain], entries)
    assert node is not None
    return node.limit


def of_rule(text: str) -> str:
    return "domain: d\ndescriptors:\n- key: k\n  rate_limit:\n" + "".join(f"    {line}\n" for line in text.split("; "))


def test_the_reference_format_is_read(tmp_path: Path) -> None:
    limits = load(
        tmp_path,
        """
        domain: mongo_cps
        descriptors:
          - key: database
            value: users
            rate_limit: {unit: second, requests_per_unit: 500, name: users}
          - key: database
            rate_limit: {unit: SECOND, requests_per_unit: 7}
            descriptors:
              - key: table
                value: 404
                rate_limit: {unit: Week, requests_per_unit: 0}
          - key: free
        """,
    )
    assert limit(limits, "mongo_cps", ("database", "users")) == FixedWindow(500, Unit.SECOND, "users")
    assert limit(limits, "mongo_cps", ("database", "other")) == FixedWindow(7, Unit.SECOND)
    assert limit(limits, "mongo_cps", ("database", "other"), ("table", "404")) == FixedWindow(0, Unit.WEEK)
    assert limit(limits, "mongo_cps", ("free", "x")) is None
    assert limits.rules() == 4


@pytest.mark.parametrize("written", ["yes", "007", "0x10", "1.10", "404", "null-ish", "2026-01-01", "~x"])
def test_a_value_is_the_text_that_stands_in_the_file(tmp_path: Path, written: str) -> None:
    limits = load(tmp_path, f"domain: d\ndescriptors:\n- {{key: k, value: {written}}}\n")
    assert matching.match(limits.domains["d"], [("k", written)]) is not None
    assert matching.match(limits.domains["d"], [("k", "other")]) is None


@pytest.mark.parametrize("unit", list(Unit))
def test_every_unit_is_read(tmp_path: Path, unit: Unit) -> None:
    limits = load(tmp_path, of_rule(f"unit: {unit.name.title()}; requests_per_unit: 3"))
    assert limit(limits, "d", ("k", "v")) == FixedWindow(3, unit)


def test_a_token_bucket_holds_its_rate_unless_burst_says_otherwise(tmp_path: Path) -> None:
    without = load(tmp_path, of_rule("unit: hour; requests_per_unit: 9; algorithm: token_bucket"))
    assert limit(without, "d", ("k", "v")) == TokenBucket(9, Unit.HOUR, burst=9)
    given = load(tmp_path, of_rule("unit: hour; requests_per_unit: 9; algorithm: token_bucket; burst: 2; name: n"))
    assert limit(given, "d", ("k", "v")) == TokenBucket(9, Unit.HOUR, 2, "n")


def test_a_rule_is_named_by_keys_and_configured_values_only(tmp_path: Path) -> None:
    limits = load(
        tmp_path,
        "domain: d\ndescriptors: [{key: user, descriptors: [{key: 'a,b', value: /r=1}]}]\n",
    )
    node = matching.match(limits.domains["d"], [("user", "alice"), ("a,b", "/r=1")])
    assert node is not None
    assert node.rule == "user,a%2Cb=/r%3D1"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("unit: foo; requests_per_unit: 1", "5: descriptors[0].rate_limit.unit must be one of second, minute, hour"),
        ("requests_per_unit: 1", "5: descriptors[0].rate_limit.unit is missing"),
        ("unit: hour", "5: descriptors[0].rate_limit.requests_per_unit is missing"),
        ("unit: hour; requests_per_unit: -1", "6: descriptors[0].rate_limit.requests_per_unit must be from 0 to"),
        (f"unit: hour; requests_per_unit: {MAX_UINT32 + 1}", "6: descriptors[0].rate_limit.requests_per_unit must be"),
        ("unit: hour; requests_per_unit: 0.25", "6: descriptors[0].rate_limit.requests_per_unit must be a whole"),
        ("unit: hour; requests_per_unit: 1; burst: 2", "7: descriptors[0].rate_limit.burst is only for algorithm"),
        (
            "unit: hour; requests_per_unit: 1; algorithm: token_bucket; burst: 0",
            "8: descriptors[0].rate_limit.burst must be from 1",
        ),
        (
            "unit: hour; requests_per_unit: 0; algorithm: token_bucket",
            "6: descriptors[0].rate_limit.requests_per_unit must be at least 1 for a token bucket",
        ),
        (
            "unit: year; requests_per_unit: 1; algorithm: token_bucket; burst: 51",
            "8: descriptors[0].rate_limit.burst does not go with the rate",
        ),
        (
            "unit: hour; requests_per_unit: 1; algorithm: leaky",
            "7: descriptors[0].rate_limit.algorithm must be one of fixed_window, token_bucket",
        ),
        ("unit: hour; requests_per_unit: 1; unlimited: true", "7: unknown key 'unlimited'"),
        ("unit: hour; unit: day; requests_per_unit: 1", "6: repeated key 'unit'"),
    ],
)
def test_a_fault_in_a_limit_is_told_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    (told,) = faults(tmp_path, of_rule(text))
    assert told.startswith(f"0.yaml:{fault}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("descriptors: []", "0.yaml:1: domain is missing"),
        ("domain: ''", "0.yaml:1: domain must not be empty"),
        ("domain: d\ndescriptors: [{value: v}]", "0.yaml:2: descriptors[0].key is missing"),
        ("domain: d\ndescriptors: [{key: ''}]", "0.yaml:2: descriptors[0].key must not be empty"),
        ("domain: d\ndescriptors: [{key: [k]}]", "0.yaml:2: descriptors[0].key must be a single value, but is a list"),
        ("domain: d\ndescriptors: {key: k}", "0.yaml:2: descriptors must be a list, but is a mapping"),
        ("domain: d\ndescriptors: [k]", "0.yaml:2: descriptors[0] must be a mapping, but is text"),
        ("domain: d\ndescriptor: []", "0.yaml:2: unknown key 'descriptor'; did you mean 'descriptors'?"),
        (
            "domain: d\ndescriptors:\n- key: k\n  rate_limit:\n",
            "0.yaml:4: descriptors[0].rate_limit must be a mapping, but is nothing",
        ),
        (
            "domain: d\ndescriptors:\n- {key: k, value: v}\n- {key: k}\n- {key: k, value: v}",
            "0.yaml:5: duplicate descriptor with key 'k' and value 'v', first on line 3",
        ),
        (
            "domain: d\ndescriptors:\n- {key: k, value: ''}\n- {key: k}",
            "0.yaml:4: duplicate descriptor with key 'k' and no value, first on line 3",
        ),
        ("domain: [", "0.yaml:2: is not YAML"),
        ("", "0.yaml: is empty"),
    ],
)
def test_a_fault_in_a_file_is_told_with_its_line(tmp_path: Path, text: str, fault: str) -> None:
    told = faults(tmp_path, text)
    assert any(line.startswith(fault) for line in told), told


def test_pairs_that_only_look_alike_when_joined_are_no_duplicates(tmp_path: Path) -> None:
    limits = load(tmp_path, "domain: d\ndescriptors: [{key: a, value: b_c}, {key: a_b, value: c}]")
    assert limits.rules() == 2


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, "domain: d\nx: 1\ny: 2\n", "domain: e\ndescriptors: [{key: ''}]\n", "domain: d\n")
    assert [line.split(" ")[0] for line in told] == ["0.yaml:2:", "0.yaml:3:", "1.yaml:2:", "2.yaml:1:"]
    assert told[3] == f"2.yaml:1: duplicate domain 'd', first in {tmp_path}/0.yaml:1".replace(f"{tmp_path}/", "")


def test_no_file_at_all_is_a_fault(tmp_path: Path) -> None:
    assert "holds no *.yaml" in faults(tmp_path)[0]
    assert "holds no *.yaml" in faults(tmp_path / "absent")[0]


def test_a_mounted_config_map_is_read_once_through_its_links(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "limits.yml").write_text("domain: d\n")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "limits.yml").symlink_to("..data/limits.yml")
    (tmp_path / ".hidden.yaml").write_text("no: limits")
    (tmp_path / "README.md").write_text("no limits")
    assert list(config.load(tmp_path).domains) == ["d"]


def test_files_in_folders_below_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "a.yaml").write_text("domain: a\n")
    assert list(load(tmp_path, "domain: b\n").domains) == ["b", "a"]


def test_a_compiled_tree_cannot_be_changed(tmp_path: Path) -> None:
    limits = load(tmp_path, "domain: d\n")
    with pytest.raises(TypeError):
        limits.domains["e"] = limits.domains["d"]  # type: ignore[index]


def test_the_shipped_limits_cover_user_agent_endpoint_and_the_pair() -> None:
    limits = config.load(SHIPPED)
    assert list(limits.domains) == ["agent_gateway"]
    for key in ("user", "agent_id", "endpoint"):
        assert isinstance(limit(limits, "agent_gateway", (key, "any")), TokenBucket)
    pair = limit(limits, "agent_gateway", ("user", "alice"), ("endpoint", "/reports"))
    assert pair == FixedWindow(5, Unit.MINUTE, "reports")
    assert limit(limits, "agent_gateway", ("user", "alice"), ("endpoint", "/other")) is not None
