"""The rules of the source tree, read with `ast`: who may import what, where foreign libraries stop, what has a test.

Each rule is a table. A file that needs an exception gets a line in its table, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("authz_service", "ratelimit_service", "service_kit", "audit_log", "devstack")
GENERATED = "service_kit/wire/*"
MAX_LINES = 400

# What a package must not import. Imports run one way: neither service knows the other, nobody knows who starts it.
NEVER_IMPORTS: Mapping[str, tuple[str, ...]] = {
    "authz_service": ("ratelimit_service", "devstack", "bench", "tests"),
    "ratelimit_service": ("authz_service", "devstack", "bench", "tests"),
    "service_kit": ("authz_service", "ratelimit_service", "audit_log", "devstack", "bench", "tests"),
    "audit_log": ("authz_service", "ratelimit_service", "devstack", "bench", "tests"),
    "devstack": ("bench", "tests"),
}

# The only files that may import a library. `*` stands for any characters, slashes too.
MESSAGES = (
    "*/servicers/*",
    "service_kit/rpc.py",
    "service_kit/health.py",
    "service_kit/hosts/*",
    "ratelimit_service/xds.py",  # configuration that comes as messages
    "ratelimit_service/xds_client.py",
    "*/__main__.py",
)
ONLY_IN: Mapping[str, tuple[str, ...]] = {
    "grpc": ("service_kit/hosts/grpcio_host.py", "ratelimit_service/xds_client.py"),
    "grpc_reflection": ("service_kit/hosts/reflection.py",),  # its messages alone, which need no grpcio
    "pyvoy": ("service_kit/hosts/launching.py",),
    "service_kit.wire": MESSAGES,
    "google.protobuf": (*MESSAGES, "authz_service/policy/bodies/grpc_body.py"),
    "google.rpc": MESSAGES,
    "hiredis": ("service_kit/valkey/connection.py",),
    "redis": (),
    "regopy": ("authz_service/policy/regopy_library.py",),
    "graphql": ("authz_service/rego_engine/builtins/graphql/*",),
    "jwt": (
        "authz_service/identity/*",
        "authz_service/policy/bundles/*",
        "authz_service/rego_engine/builtins/token*.py",
        "devstack/issuer.py",
    ),
    "aiohttp": (
        "service_kit/http_host.py",
        "service_kit/http_client.py",
        "authz_service/policy/opa_server.py",
        "devstack/*",
    ),
    "brotli": ("authz_service/dlp/codings.py",),
    "zstandard": ("authz_service/dlp/codings.py",),
    "opa_client": ("authz_service/policy/opa_server.py",),
    "re2": ("authz_service/dlp/*", "authz_service/rego_engine/builtins/*"),
    "yaml": (
        "service_kit/yaml_tree.py",
        "service_kit/strict_yaml.py",
        "authz_service/policy/bundles/data_files.py",
        "authz_service/rego_engine/builtins/yaml_*.py",
        "devstack/*",
    ),
}

READS_THE_ENVIRONMENT = (
    "*/__main__.py",
    "service_kit/hosts/worker.py",  # a process of its own, which Envoy has started: its order is there
)

# Names that say nothing of what is inside.
EMPTY_NAMES = frozenset({"util", "utils", "helper", "helpers", "manager", "managers"})

# Modules without a test file of their own, and what covers them.
COVERED_ELSEWHERE: Mapping[str, str] = {
    "service_kit/exposition.py": "tests/wire/test_hosts.py, with several workers",
    "service_kit/valkey/errors.py": "the tests of whatever raises them",
    "service_kit/valkey/sentinels.py": "tests/service_kit/valkey/test_client.py, on real Sentinels",
    "service_kit/hosts/[!aef]*": "tests/wire/test_hosts.py and test_frames.py, over real sockets",
    "authz_service/deep_scan_command.py": "tests/wire/test_deep_scan.py, as a process",
    "authz_service/dlp/views/sniffed.py": "tests/authz_service/dlp/views/test_opening.py, which opens it",
    "authz_service/exchange/inspection.py": "the tests of what asks it: machine, passage and body",
    "authz_service/dlp/views/piece.py": "the tests of the views, which make them",
    "authz_service/dlp/spans.py": "the tests of the sweep and of the scanner, which make them",
    "authz_service/dlp/judging.py": "tests/authz_service/dlp/test_text_redaction.py, which asks with it",
    "authz_service/settings/keys.py": "tests/authz_service/settings/test_dlp.py and test_deep_scan.py",
    "authz_service/settings/reading.py": "the tests of the sections that read with it",
    "authz_service/rehearsal.py": "tests/authz_service/test_decide_command.py, as the command",
    "authz_service/terminal.py": "the tests of the commands that it is for",
    "authz_service/text_files.py": "tests/authz_service/test_dlp_command.py, by the commands",
    "authz_service/reporting.py": "tests/wire/test_contract.py, as /readyz and /metrics of a process",
    "authz_service/sources.py": "tests/wire/test_contract.py and test_bundle_from_url.py, as a process",
    "authz_service/identity/parts.py": "tests/authz_service/identifying.py, which builds them for tests",
    "authz_service/serving.py": "tests/wire/test_contract.py, as a process",
    "authz_service/kill_switch.py": "tests/wire/test_kill_switch.py, in processes",
    "ratelimit_service/serving.py": "tests/ratelimit_service/test_main.py, as a process",
    "devstack/*": "tests/e2e, which starts it",
    "authz_service/rego_engine/builtins/go_format.py": "builtins/test_formatting.py, as sprintf",
    "authz_service/rego_engine/builtins/graphql/*": "builtins/test_graphql.py, as the built-ins",
    "authz_service/rego_engine/builtins/patterns.py": "builtins/test_regexes.py, as regex.match and the rest",
    "authz_service/rego_engine/builtins/schema_*": "builtins/test_json_schema.py, as json.match_schema",
    "authz_service/rego_engine/builtins/template_*": "builtins/test_templates.py, as strings.render_template",
    "authz_service/policy/compile_child.py": "tests/authz_service/policy/test_compiling.py, in its process",
    "authz_service/policy/child_process.py": "tests/authz_service/policy/test_compiling.py, in the processes",
    "authz_service/policy/bundle_child.py": "tests/authz_service/policy/test_compiling.py, in its process",
    "authz_service/policy/test_child.py": "tests/authz_service/test_policy_command.py, in its process",
}


@dataclass(frozen=True, slots=True)
class Module:
    """One source file: `path` is relative to the root, with slashes."""

    path: str
    text: str

    @property
    def package(self) -> str:
        """The package at the top."""
        return self.path.split("/", maxsplit=1)[0]

    @property
    def is_wiring(self) -> bool:
        """Whether it only opens or starts a package."""
        return PurePosixPath(self.path).stem in {"__init__", "__main__"}

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every name that is imported, in full, with its line; those inside functions and by `import_module` too."""
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = list(PurePosixPath(self.path).parts[: -node.level]) if node.level else []
                origin = ".".join([*above, *([node.module] if node.module else [])])
                yield from ((f"{origin}.{alias.name}", node.lineno) for alias in node.names)
            elif isinstance(node, ast.Call) and _name(node.func) in {"import_module", "__import__"} and node.args:
                first = node.args[0]
                yield (str(first.value) if isinstance(first, ast.Constant) else "?", node.lineno)

    def environment_reads(self) -> Iterator[int]:
        """The lines that look at the process's environment."""
        names = {"environ", "environb", "getenv", "getenvb"}
        for node in ast.walk(ast.parse(self.text)):
            if (isinstance(node, ast.Attribute) and node.attr in names and _name(node.value) == "os") or (
                isinstance(node, ast.ImportFrom)
                and node.module == "os"
                and names & {alias.name for alias in node.names}
            ):
                yield node.lineno


def _name(node: ast.expr) -> str:
    """The last part of a name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@cache
def modules() -> tuple[Module, ...]:
    """Every source file that is written by hand."""
    paths = (
        path.relative_to(ROOT).as_posix() for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
    )
    return tuple(Module(path, (ROOT / path).read_text()) for path in paths if not fnmatchcase(path, GENERATED))


def is_below(name: str, package: str) -> bool:
    """Whether a full name is the package's or in it."""
    return name == package or name.startswith(f"{package}.")


def is_listed(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a path is one of those in a table."""
    return any(fnmatchcase(path, glob) for glob in globs)


def broken_directions(module: Module) -> list[str]:
    """Imports that run the wrong way."""
    return [
        f"{module.path}:{line}: imports {name}"
        for name, line in module.imports()
        if any(is_below(name, other) for other in NEVER_IMPORTS[module.package])
    ]


def broken_edges(module: Module) -> list[str]:
    """Libraries that are seen outside their files."""
    return [
        f"{module.path}:{line}: imports {name}, which is for {', '.join(globs)}"
        for name, line in module.imports()
        for library, globs in ONLY_IN.items()
        if is_below(name, library) and not is_listed(module.path, globs)
    ]


def environment_readers(module: Module) -> list[str]:
    """Readings of the environment outside the composition roots."""
    if is_listed(module.path, READS_THE_ENVIRONMENT):
        return []
    return [f"{module.path}:{line}: reads the environment" for line in module.environment_reads()]


def mirror(module: Module) -> str:
    """Where the module's own tests are."""
    path = PurePosixPath(module.path)
    return str("tests" / path.parent / f"test_{path.stem}.py")


# The rules


def test_there_is_something_to_look_at() -> None:
    """A tree that is not found would pass everything below."""
    assert {module.package for module in modules()} >= {"service_kit"}
    assert "service_kit/rpc.py" in {module.path for module in modules()}
    assert not any("_pb2" in module.path for module in modules())


def test_imports_run_one_way() -> None:
    """Neither service imports the other, and the kit knows nobody."""
    assert [fault for module in modules() for fault in broken_directions(module)] == []


def test_each_foreign_library_stops_at_its_edge() -> None:
    """What is behind an edge has types of our own."""
    assert [fault for module in modules() for fault in broken_edges(module)] == []


def test_the_environment_is_read_in_the_composition_roots_only() -> None:
    """Settings are values everywhere else."""
    assert [fault for module in modules() for fault in environment_readers(module)] == []


def test_no_module_has_an_empty_name() -> None:
    """What has no name of its own has no place of its own."""
    parts = {module.path: set(PurePosixPath(module.path).with_suffix("").parts) for module in modules()}
    assert [path for path, names in parts.items() if names & EMPTY_NAMES] == []


def test_no_module_is_longer_than_can_be_read_at_once() -> None:
    """Beyond that it is two modules."""
    lengths = {module.path: module.text.count("\n") for module in modules()}
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_every_module_has_its_own_tests_or_a_reason() -> None:
    """The tests mirror the source, so that each is found without a search."""
    missing = [
        f"{module.path} has no {mirror(module)}"
        for module in modules()
        if not module.is_wiring
        and not is_listed(module.path, tuple(COVERED_ELSEWHERE))
        and not (ROOT / mirror(module)).is_file()
    ]
    assert missing == []


def test_no_reason_outlives_the_lack_that_it_explains() -> None:
    """A module that has its own tests needs no line in the table."""
    stale = [
        module.path
        for module in modules()
        if is_listed(module.path, tuple(COVERED_ELSEWHERE)) and (ROOT / mirror(module)).is_file()
    ]
    assert stale == []


# The rules see what they look for


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import grpc.aio", "grpc.aio"),
        ("import os, grpc", "grpc"),
        ("from grpc import aio", "grpc.aio"),
        ("from google import protobuf", "google.protobuf"),
        ("from service_kit import wire", "service_kit.wire"),
        ("from . import errors", "authz_service.policy.errors"),
        ("from .errors import Fault", "authz_service.policy.errors.Fault"),
        ("from ..dlp import scan", "authz_service.dlp.scan"),
        ("def late():\n    import grpc", "grpc"),
        ("if TYPE_CHECKING:\n    import grpc", "grpc"),
        ("importlib.import_module('grpc')", "grpc"),
        ("__import__('grpc')", "grpc"),
    ],
)
def test_an_import_is_seen_in_each_of_its_forms(line: str, name: str) -> None:
    """None is a way around."""
    assert name in {found for found, _ in Module("authz_service/policy/x.py", line).imports()}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("authz_service/x.py", "import ratelimit_service", 1),
        ("service_kit/x.py", "from audit_log.event import Event", 1),
        ("audit_log/x.py", "from authz_service import model", 1),
        ("authz_service/x.py", "from service_kit.rpc import Status\nimport audit_log", 0),
        ("authz_service/x.py", "import ratelimit_service_of_another", 0),
    ],
)
def test_an_import_in_the_wrong_direction_is_found(path: str, text: str, expected: int) -> None:
    """And no other."""
    assert len(broken_directions(Module(path, text))) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("authz_service/pipeline.py", "import grpc", 1),
        ("authz_service/servicers/ext_authz.py", "import grpc", 1),
        ("authz_service/pipeline.py", "from service_kit.wire import ext_authz_pb2", 1),
        ("authz_service/servicers/ext_authz.py", "from service_kit.wire import ext_authz_pb2", 0),
        ("ratelimit_service/__main__.py", "import grpc\nfrom service_kit import wire", 1),
        ("authz_service/policy/engine.py", "from regopy import Interpreter", 1),
        ("authz_service/policy/regopy_library.py", "from regopy import Interpreter", 0),
        ("authz_service/pipeline.py", "import jwt_of_another", 0),
    ],
)
def test_a_library_outside_its_files_is_found(path: str, text: str, expected: int) -> None:
    """And nowhere else."""
    assert len(broken_edges(Module(path, text))) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("authz_service/x.py", "import os\nos.environ['A']", 1),
        ("authz_service/x.py", "import os\nos.getenv('A')", 1),
        ("authz_service/x.py", "from os import environ", 1),
        ("authz_service/x.py", "import os\nos.getpid()", 0),
        ("authz_service/__main__.py", "import os\nos.environ['A']", 0),
    ],
)
def test_a_reading_of_the_environment_is_found(path: str, text: str, expected: int) -> None:
    """In each of its forms."""
    assert len(environment_readers(Module(path, text))) == expected
