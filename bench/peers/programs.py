"""The four programs, with every setting that is not a default. Both of a pair get the same limits, keys and rules."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers import rules
from bench.peers.building import ROOT
from bench.peers.processes import Program
from bench.peers.tokens import AUDIENCE, ISSUER, TokenIssuer
from devstack.ports import HOST, free_port

RATELIMIT_SERVICE = "ratelimit_service"
ENVOYPROXY_RATELIMIT = "envoyproxy/ratelimit"
AUTHZ_SERVICE = "authz_service"
OPA_ENVOY_PLUGIN = "opa-envoy-plugin"
STORE_DEADLINE = "1s"  # a stalled machine shall cost time, not fail a call

# What envoyproxy/ratelimit's README tells to set for throughput is how long writes to Redis are gathered.
PIPELINE_WINDOWS = ("0", "150us", "500us")


@dataclass(frozen=True, slots=True)
class PluginOptions:
    """What may make opa-envoy-plugin faster, each documented."""

    token_cache: bool  # of verified tokens
    skip_body: bool  # bodies are not parsed for the policy
    pem: bool = False  # the key alone, in place of a key set

    @property
    def text(self) -> str:
        """For the report."""
        cache, skip = "on" if self.token_cache else "off", str(self.skip_body).lower()
        return f"io_jwt cache {cache}, skip-request-body-parse {skip}{', the key as PEM' if self.pem else ''}"


PLUGIN_OPTIONS = (PluginOptions(token_cache=False, skip_body=False), PluginOptions(token_cache=True, skip_body=True))
# Not taken: a key that is rotated needs a key set, which is what the other side reads too.
PLUGIN_BESIDE = PluginOptions(token_cache=True, skip_body=True, pem=True)


def ratelimit_service(limits: Path, valkey: int, server: str | None) -> Program:
    """Ours. `limits` is the folder that holds `config/`; `server` what carries gRPC, None for the default."""
    port = free_port()
    environment = {
        "HOST": HOST, "PORT": str(free_port()), "DEBUG_PORT": "-1", "GRPC_HOST": HOST, "GRPC_PORT": str(port),
        "REDIS_URL": f"{HOST}:{valkey}", "RUNTIME_ROOT": str(limits), "LOG_LEVEL": "error", "FAILURE_MODE": "deny",
        "STORE_DEADLINE": STORE_DEADLINE, **_with_server(server),
    }  # fmt: skip
    settings = f"FAILURE_MODE=deny, STORE_DEADLINE={STORE_DEADLINE}, LOG_LEVEL=error"
    return Program(RATELIMIT_SERVICE, _python("ratelimit_service"), environment, port, settings)


def envoyproxy_ratelimit(file: Path, limits: Path, valkey: int, window: str) -> Program:
    """The peer; `window` is its REDIS_PIPELINE_WINDOW."""
    port = free_port()
    environment = {
        "HOST": HOST, "PORT": str(free_port()), "DEBUG_HOST": HOST, "DEBUG_PORT": str(free_port()),
        "GRPC_HOST": HOST, "GRPC_PORT": str(port), "BACKEND_TYPE": "redis", "REDIS_SOCKET_TYPE": "tcp",
        "REDIS_TYPE": "SINGLE", "REDIS_URL": f"{HOST}:{valkey}", "REDIS_PIPELINE_WINDOW": window,
        "RUNTIME_ROOT": str(limits), "RUNTIME_SUBDIRECTORY": "", "RUNTIME_WATCH_ROOT": "false",
        "USE_STATSD": "false", "DISABLE_STATS": "true", "LOG_LEVEL": "error",
    }  # fmt: skip
    settings = f"REDIS_PIPELINE_WINDOW={window}, DISABLE_STATS=true, LOG_LEVEL=error"
    return Program(ENVOYPROXY_RATELIMIT, [str(file)], environment, port, settings)


def authz_service(folder: Path, policy: Path, decision: str, server: str | None) -> Program:
    """Ours. `folder` holds what `write_policies` wrote; `policy` is a file or folder, `decision` the rule to ask."""
    port = free_port()
    listen = {"grpc": f"{HOST}:{port}", "http": f"{HOST}:{free_port()}"}
    issuer = {
        "issuer": ISSUER, "audiences": [AUDIENCE], "algorithms": ["RS256"], "jwks_file": str(folder / "jwks.json"),
    }  # fmt: skip
    config = {
        "listen": {**listen, **({"server": server} if server else {})},
        "identity": {"issuers": [issuer]},
        "policy": {"paths": [str(policy)], "decision": decision},
    }
    file = folder / f"authz-{decision.replace('/', '-')}.yaml"
    file.write_text(json.dumps(config, indent=1))  # JSON is YAML
    command = [*_python("authz_service"), "--config", str(file), "--log-level", "error"]
    return Program(AUTHZ_SERVICE, command, {}, port, "--log-level error, audit events into a file")


def opa_envoy_plugin(file: Path, folder: Path, policy: Path, decision: str, options: PluginOptions) -> Program:
    """The peer; `folder` holds what `write_policies` wrote."""
    port = free_port()
    plugin = {
        "addr": f"{HOST}:{port}", "path": decision, "enable-reflection": False,
        "skip-request-body-parse": options.skip_body,
    }  # fmt: skip
    config: dict[str, object] = {"plugins": {"envoy_ext_authz_grpc": plugin}, "decision_logs": {"console": False}}
    if options.token_cache:
        named = {"io_jwt": {"disabled": False, "max_num_entries": 10_000}}
        config["caching"] = {"inter_query_builtin_value_cache": {"named": named}}
    target = folder / f"opa-{port}.json"
    target.write_text(json.dumps(config, indent=1))
    command = [
        str(file), "run", "--server", "--disable-telemetry", "--log-level", "error", "--config-file", str(target),
        "--addr", f"{HOST}:{free_port()}", "--diagnostic-addr", f"{HOST}:{free_port()}",
        str(policy), str(folder / ("pem" if options.pem else "keys") / "data.json"),
    ]  # fmt: skip
    settings = f"{options.text}, decision logs off, --log-level error"
    return Program(OPA_ENVOY_PLUGIN, command, {}, port, settings)


@dataclass(frozen=True, slots=True)
class Policies:
    """Where the policies of both sides are, and which rule decides."""

    ours: Path
    theirs: Path
    decision: str


def write_policies(folder: Path, issuer: TokenIssuer) -> Mapping[str, Policies]:
    """Write keys and policies for both sides; return them by name."""
    (folder / "jwks.json").write_text(issuer.key_set())
    # As text: the built-in takes text, and would have to be given the object marshalled anew for each call.
    for name, key in (("keys", issuer.key_set()), ("pem", issuer.pem())):
        (folder / name).mkdir()
        (folder / name / "data.json").write_text(json.dumps({"jwks": key}))
    generated = {"ours": rules.OURS, "theirs": rules.THEIRS}
    for name, claims in generated.items():
        (folder / f"{name}.rego").write_text(rules.policy(claims))
    founding = Path(__file__).parent / "policies" / "founding.rego"
    return {
        "founding": Policies(ROOT / "rego", founding, "agent_gateway/decision"),
        "rules": Policies(folder / "ours.rego", folder / "theirs.rego", "api/allow"),
    }


def _python(module: str) -> Sequence[str]:
    return [sys.executable, "-m", module]


def _with_server(server: str | None) -> Mapping[str, str]:
    return {"GRPC_SERVER": server} if server else {}
