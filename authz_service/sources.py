"""What stands behind the settings: policies, keys, the store of used proofs. I/O, made here and handed to the rest."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from authz_service.decision_log.shaping import DROP, MASK
from authz_service.deep_scan.offering import Offering
from authz_service.deep_scan.sealing import Seal
from authz_service.deep_scan.store import DeepScanStore
from authz_service.exchange.sampling import Sampling
from authz_service.identity.introspection_http import IntrospectionEndpoint
from authz_service.identity.introspector import Introspector, Result
from authz_service.identity.jwks_http import KeyEndpoint
from authz_service.identity.key_rings import KeyRing
from authz_service.identity.key_source import KeyFile, KeySource
from authz_service.identity.parts import Sources
from authz_service.identity.replay import MemoryReplayStore
from authz_service.identity.replay_valkey import ValkeyReplayStore
from authz_service.policy.bodies.reading import BodyTerms
from authz_service.policy.bundles.endpoint import BundleEndpoint
from authz_service.policy.compiled_engine import Terms, load_engine
from authz_service.policy.compiling import Job
from authz_service.policy.engine import Engine
from authz_service.policy.opa_source import RemotePolicy
from authz_service.policy.watching import PolicySource, PolledPolicy, WatchedPolicy
from authz_service.rego_engine.http_client import Hosts, HttpClient
from authz_service.settings import Settings
from authz_service.settings.identity import Issuer
from authz_service.settings.policy import Bundle, Opa
from service_kit.faults import ConfigurationError, Fault
from service_kit.valkey.client import Client


def policy_job(settings: Settings, *, probes: bool = False) -> Job | None:
    """Return what to compile: every route's rule; None for a bundle that has yet to be fetched, or an OPA server."""
    policy, bundle = settings.policy, settings.policy.bundle
    if policy.opa is not None:
        return None
    rules = tuple(dict.fromkeys(route.decision for route in settings.routes))
    if bundle is None:
        paths = tuple(map(str, policy.paths))
        return Job(paths, rules=rules, optional=_optional(settings), run_tests=policy.run_tests, probes=probes)
    if bundle.file is None:
        return None
    verification = _verification(bundle)
    return Job(
        bundle=str(bundle.file), rules=rules, optional=_optional(settings), verification=verification, probes=probes
    )


def _optional(settings: Settings) -> tuple[str, ...]:
    """Return the rules that are asked for where the policies have them: those about the decision log."""
    return (DROP, MASK) if settings.decision_log is not None else ()


def deep_scan_queue(settings: Settings, counted: Callable[[str, int], None]) -> Offering | None:
    """Return what takes bodies for the deep scan; None where there is none."""
    found, valkey = settings.dlp.deep_scan, settings.valkey
    if found is None or valkey is None:
        return None
    client = Client(valkey.topology, deadline=valkey.deadline)
    store = DeepScanStore(client, entries=found.entries, keep_seconds=found.keep_seconds, deadline=valkey.deadline)
    return Offering(store, Seal(found.keys), counted)


def sampling(settings: Settings, queue: Offering | None) -> Sampling | None:
    """Return which bodies go there."""
    found = settings.dlp.deep_scan
    if found is None or queue is None:
        return None
    return Sampling(queue, found.directions, found.endpoints, found.sample_bytes, time.time)


def _nobody_hears(_: str | None) -> None:
    return


def policy_source(settings: Settings, away: Callable[[str | None], None] = _nobody_hears) -> PolicySource:
    """Return where the policies come from; `away` hears why a remote engine is not asked, and None when it is again."""
    policy, bundle = settings.policy, settings.policy.bundle
    if policy.opa is not None:
        return _remote_policy(policy.opa, policy.deadline_ms / 1000, away)
    sender = HttpClient(Hosts(policy.http_send_hosts)) if policy.http_send_hosts else None
    terms = Terms(policy.deadline_ms / 1000, policy.strict, sender)

    async def build(job: Job) -> Engine:
        return await load_engine(job, terms, time.time_ns)

    job = policy_job(settings)
    if job is not None:
        return WatchedPolicy([Path(job.bundle)] if job.bundle else policy.paths, job, build)
    url, token_file, seconds = (bundle.url, bundle.token_file, bundle.poll_seconds) if bundle else (None, None, 0)
    rules = tuple(dict.fromkeys(route.decision for route in settings.routes))
    fetched = Job(rules=rules, optional=_optional(settings), verification=_verification(bundle) if bundle else {})
    endpoint = BundleEndpoint(url or "", token_file=token_file)
    return PolledPolicy(endpoint, fetched, build, url=url or "", seconds=seconds, jitter=random.random)


def _remote_policy(opa: Opa, seconds: float, away: Callable[[str | None], None]) -> PolicySource:
    try:
        # Here, since its library is an extra and takes a third of a second to import.
        from authz_service.policy.opa_server import OpaEngine  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        text = "engine: opa needs opa-python-client: pip install 'agent-gateway[opa]'"
        raise ConfigurationError([Fault("policy", 0, text)]) from error
    engine = OpaEngine(opa.url, connections=opa.connections, seconds=seconds, now=time.time, told=away)
    return RemotePolicy(engine, opa.url, opa.token_file)


def _verification(bundle: Bundle) -> dict[str, Any]:
    """Return the terms of a signature as `bundles.keys.read_terms` reads them; empty where none is asked for."""
    found = bundle.verification
    if found is None:
        return {}
    key = {"key": found.key_file.read_text("utf-8", "replace"), "algorithm": found.algorithm}
    key_id = found.key_id or "default"
    return {"keys": {key_id: key}, "key_id": key_id, "scope": found.scope}


def body_terms(settings: Settings) -> BodyTerms:
    """Return on what terms bodies are read, or raise `ConfigurationError` where the descriptors cannot be used."""
    file = settings.policy.proto_descriptor
    if file is None:
        return BodyTerms(settings.policy.skip_request_body_parse, None)
    from authz_service.policy.bodies.grpc_body import DescriptorError, load_methods  # noqa: PLC0415  (5 MB, for who has descriptors)

    try:
        return BodyTerms(settings.policy.skip_request_body_parse, load_methods(file.read_bytes()))
    except (OSError, DescriptorError) as error:
        raise ConfigurationError([Fault(str(file), 0, str(error))]) from error


async def load_keys(issuers: Sequence[Issuer], rings: Mapping[str, KeyRing]) -> list[Fault]:
    """Fetch every issuer's keys once, together; return those that failed, and why, where the file names them."""
    ringed = [issuer for issuer in issuers if issuer.issuer in rings]
    problems = await asyncio.gather(*(rings[issuer.issuer].load() for issuer in ringed))
    return [
        Fault(issuer.source, issuer.line, problem)
        for issuer, problem in zip(ringed, problems, strict=True)
        if problem is not None
    ]


def replay_client(settings: Settings) -> Client | None:
    """Return the client of the store in which used DPoP proofs are remembered; None where that is this process."""
    dpop = settings.identity.dpop
    if dpop is None or dpop.replay == "memory" or settings.valkey is None:
        return None
    return Client(settings.valkey.topology, deadline=settings.valkey.deadline)


def introspectors(issuers: Sequence[Issuer], asked: Callable[[Result], None]) -> Mapping[str, Introspector]:
    """Return who asks about opaque tokens, by issuer; `asked` hears how each question ended."""
    return {
        issuer.issuer: Introspector(
            IntrospectionEndpoint(issuer.introspection),
            cache_seconds=issuer.introspection.cache_seconds,
            negative_cache_seconds=issuer.introspection.negative_cache_seconds,
            monotonic=time.monotonic,
            asked=asked,
        )
        for issuer in issuers
        if issuer.introspection is not None
    }


def identity_sources(settings: Settings, replays: Client | None, asking: Mapping[str, Introspector]) -> Sources:
    """Return what is behind the identity settings; `asking` is who asks about opaque tokens."""
    signed = [issuer for issuer in settings.identity.issuers if issuer.introspection is None]
    keys = {issuer.issuer: key_source(issuer) for issuer in signed}
    if settings.identity.dpop is None:
        return Sources(keys, asking)
    return Sources(keys, asking, ValkeyReplayStore(replays) if replays else MemoryReplayStore(time.monotonic))


def key_source(issuer: Issuer) -> KeySource:
    """Return where an issuer's keys come from."""
    if issuer.jwks_file is not None:
        return KeyFile(issuer.jwks_file)
    return KeyEndpoint(issuer.jwks_uri or "")
