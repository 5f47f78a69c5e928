"""Where policies come from, and every fault with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz_service.settings.policy import Opa
from tests.authz_service.settings.configured import SMALLEST, fault, faults, loaded


def with_policy(text: str) -> str:
    """The smallest configuration with another policy section."""
    return SMALLEST[: SMALLEST.index("policy:")] + f"policy:\n{text}"


def test_a_policy_path_that_does_not_exist_is_a_fault(folder: Path) -> None:
    """With the whole path, since it is relative to the file."""
    assert fault(folder, "[rego]", "[rego, absent]") == (
        25,
        f"policy.paths has 'absent', which does not exist ({folder / 'absent'})",
    )


@pytest.mark.parametrize(
    "decision",
    ["decision", "data.agent_gateway.decision", "a/", "/a/b", "a//b", "a/b/", "a-b/c", "a/1b", "a b/c", "a/b\\n"],
)
def test_a_decision_that_is_no_rules_path_is_a_fault(folder: Path, decision: str) -> None:
    """Package and rule, with slashes."""
    line, text = fault(folder, "agent_gateway/decision", f'"{decision}"')
    assert line == 26
    assert text.startswith("policy.decision must be a rule's path such as agent_gateway/decision")


def test_the_terms_of_an_evaluation_have_defaults_and_can_be_set(folder: Path) -> None:
    """A tenth of a second, errors of built-ins as OPA has them, no tests, nobody to ask."""
    policy = loaded(folder, SMALLEST).policy
    assert (policy.deadline_ms, policy.strict, policy.run_tests, policy.http_send_hosts) == (100, False, False, ())
    text = with_policy(
        "  paths: [rego]\n  decision: a/b\n  deadline_ms: 25\n  builtin_errors: fail\n  tests: run\n"
        "  http_send_hosts: [idp.example, 'pdp.example:8443']\n"
    )
    policy = loaded(folder, text).policy
    assert (policy.deadline_ms, policy.strict, policy.run_tests) == (25, True, True)
    assert policy.http_send_hosts == ("idp.example", "pdp.example:8443")


def test_what_policies_see_of_bodies_and_whether_they_are_only_tried_can_be_set(folder: Path) -> None:
    """By the names that opa-envoy-plugin has; all is judged, and no gRPC body read, unless told otherwise."""
    policy = loaded(folder, SMALLEST).policy
    assert (policy.dry_run, policy.skip_request_body_parse, policy.proto_descriptor) == (False, False, None)
    (folder / "books.pb").touch()
    text = with_policy("  paths: [rego]\n  decision: a/b\n  dry_run: true\n  proto_descriptor: books.pb\n")
    policy = loaded(folder, text).policy
    assert (policy.dry_run, policy.skip_request_body_parse) == (True, False)
    assert policy.proto_descriptor == folder / "books.pb"
    text = with_policy("  paths: [rego]\n  decision: a/b\n  skip_request_body_parse: true\n")
    assert loaded(folder, text).policy.skip_request_body_parse is True


def test_descriptors_for_bodies_that_are_skipped_or_that_are_not_there_are_faults(folder: Path) -> None:
    """Each with its line."""
    (folder / "books.pb").touch()
    text = "  paths: [rego]\n  decision: a/b\n  proto_descriptor: {}\n"
    assert faults(folder, with_policy(text.format("absent.pb"))) == [
        (6, f"policy.proto_descriptor names no file: {folder / 'absent.pb'}")
    ]
    both = with_policy(text.format("books.pb") + "  skip_request_body_parse: true\n")
    assert faults(folder, both) == [(6, "policy.proto_descriptor and skip_request_body_parse exclude each other")]


def test_policies_may_come_as_a_bundle_from_a_file(folder: Path) -> None:
    """With how its signature is verified."""
    for name in ("bundle.tar.gz", "bundle.pem"):
        (folder / name).touch()
    text = with_policy(
        "  decision: a/b\n  bundle:\n    file: bundle.tar.gz\n"
        "    verification: {key_file: bundle.pem, algorithm: ES256, key_id: k1, scope: write}\n"
    )
    bundle = loaded(folder, text).policy.bundle
    assert bundle is not None
    assert (bundle.file, bundle.url) == (folder / "bundle.tar.gz", None)
    found = bundle.verification
    assert found is not None
    assert (found.key_file, found.algorithm) == (folder / "bundle.pem", "ES256")
    assert (found.key_id, found.scope) == ("k1", "write")


def test_policies_may_come_as_a_bundle_from_a_url(folder: Path) -> None:
    """Asked every half minute, unless told otherwise."""
    (folder / "token").touch()
    text = with_policy("  decision: a/b\n  bundle: {url: 'https://p.example/b.tar.gz', token_file: token}\n")
    bundle = loaded(folder, text).policy.bundle
    assert bundle is not None
    assert (bundle.file, bundle.url, bundle.poll_seconds) == (None, "https://p.example/b.tar.gz", 30)
    assert (bundle.token_file, bundle.verification) == (folder / "token", None)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("  decision: a/b\n  bundle: {}\n", 5, "policy.bundle needs one of file and url"),
        ("  decision: a/b\n  bundle: {file: absent}\n", 5, "policy.bundle.file names no bundle"),
        ("  decision: a/b\n  bundle: {url: 'http://p.example/b'}\n", 5, "policy.bundle.url must be https"),
        ("  decision: a/b\n  bundle: {url: 'ftp://p.example/b'}\n", 5, "policy.bundle.url must be an https URL"),
        ("  decision: a/b\n  paths: [rego]\n  bundle: {url: 'https://p.example/b'}\n", 5, "policy.paths and bundle"),
        ("  decision: a/b\n  tests: run\n  bundle: {url: 'https://p.example/b'}\n", 5, "policy.tests can be run for"),
        ("  decision: a/b\n  paths: [rego]\n  deadline_ms: 0\n", 6, "policy.deadline_ms must be"),
        ("  decision: a/b\n  paths: [rego]\n  http_send_hosts: ['http://x/']\n", 6, "policy.http_send_hosts must hold"),
        ("  decision: a/b\n", 4, "policy.paths"),
    ],
)
def test_a_policy_section_that_makes_no_sense_is_a_fault_with_its_line(
    folder: Path, text: str, line: int, told: str
) -> None:
    """And only one."""
    found = faults(folder, with_policy(text))
    assert [(number, shown[: len(told)]) for number, shown in found] == [(line, told)]


def test_an_opa_server_may_decide(folder: Path) -> None:
    """At a port or behind a unix socket, with a token where it wants one."""
    (folder / "opa.token").touch()
    text = with_policy("  engine: opa\n  decision: a/b\n  opa: {url: 'https://opa.example', token_file: opa.token}\n")
    policy = loaded(folder, text).policy
    assert (policy.paths, policy.bundle, policy.deadline_ms) == ((), None, 100)
    assert policy.opa == Opa("https://opa.example", folder / "opa.token", 64)
    text = with_policy(
        "  engine: opa\n  decision: a/b\n  deadline_ms: 20\n  opa: {url: 'unix:///run/opa.sock', connections: 8}\n"
    )
    policy = loaded(folder, text).policy
    assert (policy.deadline_ms, policy.opa) == (20, Opa("unix:///run/opa.sock", None, 8))


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "http://opa.example:8181",
            "must be https: over plain http anyone on the way could put in decisions of his own",
        ),
        ("https://opa.example/v1", "must be http(s)://host:port, and no more, or unix:///path"),
        ("https://u:s3cret@opa.example", "must be http(s)://host:port, and no more, or unix:///path"),
        ("ftp://opa.example", "must be http(s)://host:port, and no more, or unix:///path"),
        ("unix://opa.sock", "must be unix:///path, but is 'unix://opa.sock'"),
        ("unix:///run/opa.sock?x", "must be unix:///path, but is 'unix:///run/opa.sock?x'"),
    ],
)
def test_an_opa_server_must_be_one_that_can_be_trusted(folder: Path, url: str, text: str) -> None:
    given = with_policy(f"  engine: opa\n  decision: a/b\n  opa: {{url: '{url}'}}\n")
    assert faults(folder, given) == [(6, f"policy.opa.url {text}")]


@pytest.mark.parametrize(
    "given", ["paths: [rego]", "bundle: {file: rego}", "tests: run", "builtin_errors: fail", "http_send_hosts: [a]"]
)
def test_what_is_said_to_the_embedded_engine_is_a_fault_with_an_opa_server(folder: Path, given: str) -> None:
    """It would say nothing, and whoever wrote it thought that it does."""
    text = with_policy(f"  engine: opa\n  decision: a/b\n  opa: {{url: 'unix:///o'}}\n  {given}\n")
    (found,) = faults(folder, text)
    assert found == (7, f"policy.{given.partition(':')[0]} is for engine: embedded only: the OPA server has its own")


def test_an_opa_server_beside_the_embedded_engine_is_a_fault(folder: Path) -> None:
    """Only one can decide."""
    text = with_policy("  paths: [rego]\n  decision: a/b\n  opa: {url: 'unix:///o'}\n")
    assert faults(folder, text) == [(6, "policy.opa is for engine: opa only")]


@pytest.mark.parametrize("where", ["paths: [rego]", "engine: opa\n  opa: {url: 'unix:///o'}"])
def test_how_many_results_are_kept_has_a_default_and_can_be_set(folder: Path, where: str) -> None:
    """Whoever decides; 0 keeps none."""
    text = with_policy(f"  {where}\n  decision: a/b\n")
    assert loaded(folder, text).policy.cache_entries == 10_000
    assert loaded(folder, f"{text}  cache_entries: 0\n").policy.cache_entries == 0
    (found,) = faults(folder, f"{text}  cache_entries: -1\n")
    assert found[1] == "policy.cache_entries must be from 0 to 1000000, but is -1"
