from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ratelimit_service import config
from ratelimit_service.config import Source
from ratelimit_service.limits import MAX_UINT32, FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Entry, Limits, Rule
from service_kit.faults import ConfigurationError, Faults
from tests.ratelimit_service import configured

SHIPPED = Path(__file__).parents[2] / "limits" / "config"


def raw(text: str) -> RawDomain:
    """Read a text that is without a fault and without a warning."""
    faults = Faults()
    domain = config.parse(text.encode(), "f.yaml", faults)
    assert (faults.found, faults.warnings) == ([], [])
    return domain


def of_rule(text: str) -> str:
    """One descriptor with these lines of a rate_limit, which begin in line 5."""
    return "domain: d\ndescriptors:\n- key: k\n  rate_limit:\n" + "".join(f"    {line}\n" for line in text.split("; "))


def of_descriptor(text: str) -> str:
    """One descriptor with these lines, which begin in line 4."""
    return "domain: d\ndescriptors:\n- key: k\n" + "".join(f"  {line}\n" for line in text.split("; "))


def limit(limits: Limits, domain: str, *entries: Entry) -> Limit | None:
    found = configured.rule(limits, domain, *entries)
    assert found is not None
    return found.limit


# What is taken


def test_the_reference_format_is_read() -> None:
    limits = configured.limits(
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
          - key: open
            rate_limit: {unlimited: true}
        """,
    )
    assert limit(limits, "mongo_cps", ("database", "users")) == FixedWindow(500, Unit.SECOND, "users")
    assert limit(limits, "mongo_cps", ("database", "other")) == FixedWindow(7, Unit.SECOND)
    assert limit(limits, "mongo_cps", ("database", "other"), ("table", "404")) == FixedWindow(0, Unit.WEEK)
    assert limit(limits, "mongo_cps", ("free", "x")) is None
    assert limit(limits, "mongo_cps", ("open", "x")) is None
    assert (len(list(limits.rules())), limits.warnings) == (5, ())


def test_every_key_is_read_into_what_was_written() -> None:
    domain = raw(
        """
domain: d
descriptors:
  - key: k
    value: v*
    shadow_mode: true
    quota_mode: yes
    detailed_metric: on
    value_to_metric: True
    share_threshold: true
    metadata: {team: search, tiers: [1, {x: null}], since: 2024-01-01}
    rate_limit: {name: n, unit: day, requests_per_unit: 5, replaces: [{name: a}, {name: 7}]}
    descriptors: [{key: inner}]
"""
    )
    assert domain == RawDomain(
        "f.yaml",
        2,
        "d",
        (
            RawDescriptor(
                "f.yaml",
                4,
                "k",
                "v*",
                limit=FixedWindow(5, Unit.DAY, "n"),
                name="n",
                replaces=("a", "7"),
                shadow_mode=True,
                quota_mode=True,
                detailed_metric=True,
                value_to_metric=True,
                share_threshold=True,
                metadata={"team": "search", "tiers": [1, {"x": None}], "since": "2024-01-01"},
                children=(RawDescriptor("f.yaml", 13, "inner"),),
            ),
        ),
    )


def test_an_unlimited_descriptor_has_a_name_and_replaces_others_but_no_limit() -> None:
    (descriptor,) = raw(of_rule("unlimited: true; name: n; replaces: [{name: a}]")).descriptors
    assert (descriptor.unlimited, descriptor.limit) == (True, None)
    assert (descriptor.name, descriptor.replaces) == ("n", ("a",))


def test_a_descriptor_without_a_rate_limit_is_no_unlimited_one() -> None:
    (descriptor,) = raw("domain: d\ndescriptors: [{key: k}]").descriptors
    assert (descriptor.unlimited, descriptor.limit) == (False, None)


@pytest.mark.parametrize(
    "written",
    [
        "yes",
        "no",
        "on",
        "007",
        "0x10",
        "1.10",
        "1e3",
        "404",
        "-5",
        "null-ish",
        "2026-01-01",
        "~x",
        "true",
        "12:30",
        "=",
    ],
)
@pytest.mark.parametrize("field", ["domain", "key", "value"])
def test_a_text_is_the_text_that_stands_in_the_file(field: str, written: str) -> None:
    texts = {"domain": "d", "key": "k", "value": "v"} | {field: written}
    domain = raw(f"domain: {texts['domain']}\ndescriptors:\n- key: {texts['key']}\n  value: {texts['value']}\n")
    (descriptor,) = domain.descriptors
    assert {"domain": domain.domain, "key": descriptor.key, "value": descriptor.value} == texts


@pytest.mark.parametrize("written", ["", "~", "null", "''"])
def test_an_empty_value_is_none(written: str) -> None:
    assert raw(of_descriptor(f"value: {written}")).descriptors[0].value == ""


@pytest.mark.parametrize("unit", list(Unit))
@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
def test_every_unit_is_read_whatever_its_case(unit: Unit, write: Callable[[str], str]) -> None:
    (descriptor,) = raw(of_rule(f"unit: {write(unit.name)}; requests_per_unit: 3")).descriptors
    assert descriptor.limit == FixedWindow(3, unit)


@pytest.mark.parametrize(
    ("written", "number"), [("0", 0), (str(MAX_UINT32), MAX_UINT32), ("0x10", 16), ("1_000", 1000)]
)
def test_requests_are_read_within_the_numbers_of_the_protocol(written: str, number: int) -> None:
    (descriptor,) = raw(of_rule(f"unit: hour; requests_per_unit: {written}")).descriptors
    assert descriptor.limit == FixedWindow(number, Unit.HOUR)


def test_a_token_bucket_holds_its_rate_unless_burst_says_otherwise() -> None:
    (without,) = raw(of_rule("unit: hour; requests_per_unit: 9; algorithm: token_bucket")).descriptors
    assert without.limit == TokenBucket(9, Unit.HOUR, burst=9)
    (one,) = raw(of_rule("unit: hour; requests_per_unit: 1; algorithm: token_bucket")).descriptors
    assert one.limit == TokenBucket(1, Unit.HOUR, burst=1)
    (given,) = raw(of_rule("unit: hour; requests_per_unit: 9; algorithm: token_bucket; burst: 2; name: n")).descriptors
    assert given.limit == TokenBucket(9, Unit.HOUR, 2, "n")


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("fixed_window", FixedWindow(9, Unit.MINUTE, "n", 5)),
        ("sliding_window", SlidingWindow(9, Unit.MINUTE, "n", 5)),
        ("token_bucket", TokenBucket(9, Unit.MINUTE, 9, "n", 5)),
    ],
)
def test_each_algorithm_may_span_several_units(algorithm: str, expected: Limit) -> None:
    text = f"unit: minute; requests_per_unit: 9; name: n; unit_multiplier: 5; algorithm: {algorithm}"
    (descriptor,) = raw(of_rule(text)).descriptors
    assert descriptor.limit == expected


def test_a_span_may_be_just_50_years() -> None:
    (descriptor,) = raw(of_rule("unit: year; requests_per_unit: 1; unit_multiplier: 50")).descriptors
    assert descriptor.limit == FixedWindow(1, Unit.YEAR, multiplier=50)


def test_merge_keys_bring_what_is_shared() -> None:
    text = """
domain: d
descriptors:
  - &shared
    key: a
    rate_limit: &limit {unit: day, requests_per_unit: 5}
  - <<: *shared
    key: b
  - key: c
    rate_limit:
      <<: *limit
      requests_per_unit: 6
"""
    assert [(each.key, each.limit) for each in raw(text).descriptors] == [
        ("a", FixedWindow(5, Unit.DAY)),
        ("b", FixedWindow(5, Unit.DAY)),
        ("c", FixedWindow(6, Unit.DAY)),
    ]


# What is taken, with a warning


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (
            of_rule("unit: day; requests_per_unit: 1; requests_per_unit: 2"),
            "0.yaml:7: repeated key 'requests_per_unit' in descriptors[0].rate_limit: the last one counts",
        ),
        (
            of_rule("unit: day; requests_per_unit: 2") + "---\ndomain: other\n",
            "0.yaml:8: is a second document, which is not read: of a file the first one counts",
        ),
        (
            of_rule("unit: day; requests_per_unit: 2; shadow_mode: true"),
            "0.yaml:7: descriptors[0].rate_limit.shadow_mode means nothing here and is passed over",
        ),
        (
            of_rule("unit: day; requests_per_unit: 2; replaces: [{name: a, value: 1}]"),
            "0.yaml:7: descriptors[0].rate_limit.replaces[0].value means nothing here and is passed over",
        ),
        (
            of_rule("unit: day; requests_per_unit: 2") + "  unit: second\n",
            "0.yaml:7: descriptors[0].unit means nothing here and is passed over",
        ),
        (
            of_rule("unit: day; requests_per_unit: 2") + "key: x\n",
            "0.yaml:7: key means nothing here and is passed over",
        ),
    ],
)
def test_what_works_otherwise_than_it_may_seem_is_a_warning_with_its_line(text: str, warning: str) -> None:
    limits = configured.limits(text)
    assert [str(each) for each in limits.warnings] == [warning]
    assert limit(limits, "d", ("k", "v")) == FixedWindow(2, Unit.DAY)


@pytest.mark.parametrize("key", sorted(config.KEYS - {"domain", "descriptors"}))
def test_each_known_key_is_passed_over_where_it_means_nothing(key: str) -> None:
    assert configured.warnings(f"domain: d\n{key}: 1\n") == [f"0.yaml:2: {key} means nothing here and is passed over"]


def test_known_keys_are_those_of_the_reference() -> None:
    assert {
        "domain",
        "key",
        "value",
        "descriptors",
        "rate_limit",
        "unit",
        "requests_per_unit",
        "unlimited",
        "name",
        "replaces",
        "shadow_mode",
        "quota_mode",
        "detailed_metric",
        "value_to_metric",
        "share_threshold",
        "metadata",
    } == config.KEYS


@pytest.mark.parametrize("written", ["", "~", "null"])
def test_an_empty_rate_limit_limits_nothing_and_is_a_warning(written: str) -> None:
    limits = configured.limits(of_descriptor(f"rate_limit: {written}"))
    assert limit(limits, "d", ("k", "v")) is None
    assert [str(warning) for warning in limits.warnings] == [
        "0.yaml:4: descriptors[0].rate_limit is empty, so these descriptors are not limited at all"
    ]


@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_window"])
def test_missing_requests_count_as_none_and_are_a_warning(algorithm: str) -> None:
    limits = configured.limits(of_rule(f"unit: day; algorithm: {algorithm}"))
    found = limit(limits, "d", ("k", "v"))
    assert found is not None
    assert found.requests_per_unit == 0
    assert [str(warning) for warning in limits.warnings] == [
        "0.yaml:5: descriptors[0].rate_limit.requests_per_unit is missing and counts as 0: nothing is let through"
    ]


def test_the_last_of_a_repeated_domain_counts() -> None:
    limits = configured.limits("domain: a\ndomain: b\n")
    assert list(limits.domains) == ["b"]
    assert len(limits.warnings) == 1


def test_warnings_come_in_the_order_of_file_and_line() -> None:
    texts = ["domain: b\nunit: 1\nkey: 1\n", "domain: a\nname: 1\n"]
    assert [line.partition(" ")[0] for line in configured.warnings(*texts)] == ["0.yaml:2:", "0.yaml:3:", "1.yaml:2:"]


# What is wrong


RATE = "descriptors[0].rate_limit"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("unit: foo; requests_per_unit: 1", f"5: {RATE}.unit must be one of second, minute, hour, day, week, mo"),
        ("unit: ''; requests_per_unit: 1", f"5: {RATE}.unit must be one of second"),
        ("unit: [day]; requests_per_unit: 1", f"5: {RATE}.unit must be a single value, but is a list"),
        ("requests_per_unit: 1", f"5: {RATE}.unit is missing"),
        ("unit:; requests_per_unit: 1", f"5: {RATE}.unit is missing"),
        ("unit: hour; requests_per_unit: -1", f"6: {RATE}.requests_per_unit must be from 0 to {MAX_UINT32}, but is -1"),
        (f"unit: hour; requests_per_unit: {MAX_UINT32 + 1}", f"6: {RATE}.requests_per_unit must be from 0 to"),
        ("unit: hour; requests_per_unit: 0.25", f"6: {RATE}.requests_per_unit must be a whole number"),
        ("unit: hour; requests_per_unit: '5'", f"6: {RATE}.requests_per_unit must be a whole number, but is text"),
        ("unit: hour; requests_per_unit: five", f"6: {RATE}.requests_per_unit must be a whole number, but is text"),
        ("unit: hour; requests_per_unit: 1; burst: 2", f"7: {RATE}.burst is only for algorithm: token_bucket"),
        (
            "unit: hour; requests_per_unit: 1; algorithm: sliding_window; burst: 2",
            f"8: {RATE}.burst is only for algorithm: token_bucket",
        ),
        ("unit: hour; requests_per_unit: 1; algorithm: token_bucket; burst: 0", f"8: {RATE}.burst must be from 1"),
        (
            "unit: hour; requests_per_unit: 0; algorithm: token_bucket",
            f"6: {RATE}.requests_per_unit must be at least 1 for a token bucket",
        ),
        (
            "unit: year; requests_per_unit: 1; algorithm: token_bucket; burst: 51",
            f"8: {RATE}.burst does not go with the rate: a bucket may take at most 50 years to fill",
        ),
        (
            "unit: hour; requests_per_unit: 1; algorithm: leaky",
            f"7: {RATE}.algorithm must be one of fixed_window, sliding_window, token_bucket, but is 'leaky'",
        ),
        ("unit: hour; requests_per_unit: 1; unit_multiplier: 0", f"7: {RATE}.unit_multiplier must be from 1"),
        (
            "unit: year; requests_per_unit: 1; unit_multiplier: 51",
            f"7: {RATE}.unit_multiplier makes more than 50 years of 51 years",
        ),
        ("unlimited: true; unit: Day", f"6: {RATE}.unit must not be there where unlimited is true"),
        ("unlimited: maybe", f"5: {RATE}.unlimited must be true or false, but is text"),
        ("unit: day; requests_per_unit: 1; replaces: [{}]", f"7: {RATE}.replaces[0].name must not be empty"),
        ("unit: day; requests_per_unit: 1; replaces: [{name: ''}]", f"7: {RATE}.replaces[0].name must not be empty"),
        (
            "unit: day; requests_per_unit: 1; name: n; replaces: [{name: a}, {name: n}]",
            f"8: {RATE}.replaces[1].name must not be the descriptor's own, 'n'",
        ),
        ("unit: day; requests_per_unit: 1; replaces: [a]", f"7: {RATE}.replaces[0] must be a mapping, but is text"),
        ("unit: day; requests_per_unit: 1; replaces: a", f"7: {RATE}.replaces must be a list, but is text"),
        ("unit: day; requests_per_unit: 1; requests: 2", f"7: unknown key 'requests' in {RATE}; did you mean 'requ"),
    ],
)  # fmt: skip
def test_a_fault_in_a_limit_is_told_with_its_line(text: str, fault: str) -> None:
    told = configured.faults(of_rule(text))
    assert any(line.startswith(f"0.yaml:{fault}") for line in told), told


def test_a_unit_that_is_none_does_no_harm_to_what_is_unlimited() -> None:
    (descriptor,) = raw(of_rule("unlimited: true; unit: foo; requests_per_unit: 1")).descriptors
    assert descriptor.unlimited


def test_something_that_is_not_unlimited_after_all_has_its_limit() -> None:
    (descriptor,) = raw(of_rule("unlimited: false; unit: day; requests_per_unit: 1")).descriptors
    assert descriptor.limit == FixedWindow(1, Unit.DAY)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("value: v; share_threshold: true", "5: descriptors[0].share_threshold is only for a value with a '*'"),
        ("share_threshold: true", "4: descriptors[0].share_threshold is only for a value with a '*', which that of k"),
        ("metadata: x", "4: descriptors[0].metadata must be a mapping, but is text"),
        ("metadata: [x]", "4: descriptors[0].metadata must be a mapping, but is a list"),
        ("metadata: {x: .nan}", "4: descriptors[0].metadata.x is a number that JSON cannot carry"),
        ("shadow_mode: 1", "4: descriptors[0].shadow_mode must be true or false, but is a whole number"),
        ("quota_mode: 'true'", "4: descriptors[0].quota_mode must be true or false, but is text"),
        ("rate_limit: 5", "4: descriptors[0].rate_limit must be a mapping, but is a whole number"),
        ("rate_limit: [{}]", "4: descriptors[0].rate_limit must be a mapping, but is a list"),
        ("value: [v]", "4: descriptors[0].value must be a single value, but is a list"),
        ("descriptors: {key: k}", "4: descriptors[0].descriptors must be a list, but is a mapping"),
        ("descriptors: [{key: a}, {key: ''}]", "4: descriptors[0].descriptors[1].key must not be empty"),
        ("0.25: x", "4: unknown key '0.25' in descriptors[0]"),
        ("burst: 5", "4: unknown key 'burst' in descriptors[0]"),
    ],
)  # fmt: skip
def test_a_fault_in_a_descriptor_is_told_with_its_line(text: str, fault: str) -> None:
    told = configured.faults(of_descriptor(text))
    assert any(line.startswith(f"0.yaml:{fault}") for line in told), told


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("descriptors: []", "0.yaml:1: domain is missing"),
        ("domain: ''", "0.yaml:1: domain must not be empty"),
        ("domain:", "0.yaml:1: domain is missing"),
        ("domain: d\ndescriptors: [{value: v}]", "0.yaml:2: descriptors[0].key is missing"),
        ("domain: d\ndescriptors: [{key: ''}]", "0.yaml:2: descriptors[0].key must not be empty"),
        ("domain: d\ndescriptors: [{key: [k]}]", "0.yaml:2: descriptors[0].key must be a single value, but is a list"),
        ("domain: d\ndescriptors: {key: k}", "0.yaml:2: descriptors must be a list, but is a mapping"),
        ("domain: d\ndescriptors: [k]", "0.yaml:2: descriptors[0] must be a mapping, but is text"),
        ("domain: d\ndescriptor: []", "0.yaml:2: unknown key 'descriptor'; did you mean 'descriptors'?"),
        ("domain: d\n? [a]\n: b", "0.yaml:2: a key must be text, but is a list"),
        ("domain: [", "0.yaml:2: is not YAML"),
        ("", "0.yaml: is empty"),
        ("- domain: d", "0.yaml:1: must be a mapping at its root, but is a list"),
    ],
)
def test_a_fault_in_a_file_is_told_with_its_line(text: str, fault: str) -> None:
    told = configured.faults(text)
    assert any(line.startswith(fault) for line in told), told


def test_two_descriptors_without_a_key_are_two_faults_and_no_duplicates() -> None:
    assert configured.faults("domain: d\ndescriptors:\n- value: v\n- value: v\n") == [
        "0.yaml:3: descriptors[0].key is missing",
        "0.yaml:4: descriptors[1].key is missing",
    ]


# Files


def load(directory: Path, *texts: str, merge_domains: bool = False, dot_files: bool = False) -> Limits:
    for number, text in enumerate(texts):
        (directory / f"{number}.yaml").write_text(text)
    return config.load(Source(directory, merge_domains=merge_domains, dot_files=dot_files))


def faults_of_files(directory: Path, *texts: str, merge_domains: bool = False) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(directory, *texts, merge_domains=merge_domains)
    return [str(fault).replace(f"{directory}/", "") for fault in caught.value.faults]


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    told = faults_of_files(
        tmp_path,
        "domain: d\nx: 1\ny: 2\n",
        "domain: e\ndescriptors:\n- {key: ''}\n- {key: k}\n- {key: k}\n",
        "domain: d\n",
        "domain: [",
    )
    assert [line.partition(" ")[0] for line in told] == [
        "0.yaml:2:",
        "0.yaml:3:",
        "1.yaml:3:",
        "1.yaml:5:",
        "2.yaml:1:",
        "3.yaml:2:",
    ]
    assert told[3] == "1.yaml:5: duplicate descriptor with key 'k' and no value, first in 1.yaml:4"
    assert told[4] == "2.yaml:1: duplicate domain 'd', first in 0.yaml:1"


def test_files_that_name_one_domain_make_it_up_together_where_that_is_asked_for(tmp_path: Path) -> None:
    texts = "domain: d\ndescriptors: [{key: a}]", "domain: d\ndescriptors: [{key: b}]", "domain: e"
    limits = load(tmp_path, *texts, merge_domains=True)
    assert [rule.path for rule in limits.rules_of("d")] in (["a", "b"], ["b", "a"])
    assert list(limits.domains) == ["d", "e"]
    assert [line.partition(" ")[0] for line in faults_of_files(tmp_path, *texts)] == ["1.yaml:1:"]


def test_no_file_at_all_is_a_fault(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ConfigurationError) as caught:
            config.load(Source(directory))
        assert str(caught.value) == f"{directory}: holds no file with limits"


def test_a_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    for name in ("limits", "limits.txt", "limits.yaml.bak", "LIMITS.YML"):
        (tmp_path / name).write_text(f"domain: {name}\n")
    assert set(config.load(Source(tmp_path)).domains) == {"limits", "limits.txt", "limits.yaml.bak", "LIMITS.YML"}


def test_files_are_read_as_leniently_as_texts(tmp_path: Path) -> None:
    limits = load(tmp_path, "domain: c\n<<: {descriptors: [{key: k}]}\ndomain: d\n---\ndomain: e\n")
    assert [rule.path for rule in limits.rules_of("d")] == ["k"]
    assert [(warning.source, warning.line) for warning in limits.warnings] == [
        (f"{tmp_path}/0.yaml", 3),
        (f"{tmp_path}/0.yaml", 5),
    ]


def test_domains_are_not_merged_and_dot_files_not_read_where_nobody_asked_for_it(tmp_path: Path) -> None:
    assert Source(tmp_path) == Source(tmp_path, merge_domains=False, dot_files=False)


def test_files_in_folders_below_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "a.yaml").write_text("domain: a\n")
    assert list(load(tmp_path, "domain: b\n").domains) == ["b", "a"]


def test_dot_files_are_read_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("domain: git\n")
    (tmp_path / ".hidden").write_text("domain: hidden\n")
    assert list(load(tmp_path, "domain: d\n").domains) == ["d"]
    assert set(load(tmp_path, dot_files=True).domains) == {"d", "git", "hidden"}


@pytest.mark.parametrize("dot_files", [False, True])
def test_a_mounted_config_map_is_read_once_through_its_links(tmp_path: Path, dot_files: bool) -> None:  # noqa: FBT001
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "limits.yml").write_text("domain: d\n")
    (tmp_path / "..2025").mkdir()
    (tmp_path / "..2025" / "limits.yml").write_text("domain: d\n")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "limits.yml").symlink_to("..data/limits.yml")
    source = Source(tmp_path, dot_files=dot_files)
    assert config.files(source) == [tmp_path / "limits.yml"]
    assert list(config.load(source).domains) == ["d"]


def test_links_to_folders_are_followed_once_each(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("domain: a\n")
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path)
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "first").symlink_to(tmp_path / "elsewhere")
    (directory / "second").symlink_to(tmp_path / "elsewhere")
    assert config.files(Source(directory)) == [directory / "first" / "a"]


def test_a_link_that_leads_nowhere_is_a_fault_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "lost").symlink_to(tmp_path / "absent")
    assert faults_of_files(tmp_path, "domain: d\n") == ["lost: cannot be read: No such file or directory"]


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.MAX_FILES == 1_000
    monkeypatch.setattr(config, "MAX_FILES", 2)
    assert len(load(tmp_path, "domain: a\n", "domain: b\n").domains) == 2
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, *[f"domain: d{number}\n" for number in range(9)])
    assert str(caught.value) == f"{tmp_path}: holds more than 2 files with limits"


def test_faults_are_told_by_the_path_of_their_file(tmp_path: Path) -> None:
    file = tmp_path / "limits"
    file.write_text("domain: ''\n")
    faults = Faults()
    config.read(file, faults)
    assert [str(fault) for fault in faults.found] == [f"{file}:1: domain must not be empty"]


def test_the_shipped_limits_cover_user_agent_endpoint_and_the_pair() -> None:
    limits = config.load(Source(SHIPPED))
    assert list(limits.domains) == ["agent_gateway"]
    assert limits.warnings == ()
    for key in ("user", "agent_id", "endpoint"):
        assert isinstance(limit(limits, "agent_gateway", (key, "any")), TokenBucket)
    pair = limit(limits, "agent_gateway", ("user", "alice"), ("endpoint", "/reports"))
    assert pair == FixedWindow(5, Unit.MINUTE, "reports")
    other = configured.rule(limits, "agent_gateway", ("user", "alice"), ("endpoint", "/other"))
    assert isinstance(other, Rule)
    assert isinstance(other.limit, TokenBucket)
