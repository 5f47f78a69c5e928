"""The engine port over a compiled policy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from authz_service.errors import PolicyFailed
from authz_service.policy.compiling import Job, compile_policy
from authz_service.rego_engine.builtins.context import Context, HttpSender
from authz_service.rego_engine.compiled import CompiledPolicy
from authz_service.rego_engine.errors import CANCEL_ERROR, EvaluationError
from authz_service.rego_engine.values import UNDEFINED, to_answer


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms policies are evaluated.

    `seconds` is the longest that one evaluation may take. `strict`: an error of a built-in ends the evaluation, and
    does not only make its expression undefined. `http` sends the requests of `http.send`; None: there are none.
    """

    seconds: float = 0.1
    strict: bool = False
    http: HttpSender | None = None


class CompiledEngine:
    """One compiled policy. It may be used from several threads."""

    def __init__(self, policy: CompiledPolicy, revision: str, terms: Terms, now_ns: Callable[[], int]) -> None:
        """`now_ns` is the time that policies see, in nanoseconds since the epoch."""
        self._policy = policy
        self._revision = revision
        self._terms = terms
        self._now_ns = now_ns
        self._loaded = now_ns() / 1e9

    @property
    def revision(self) -> str:
        """The policies' revision."""
        return self._revision

    @property
    def loaded(self) -> float:
        """When it was built, in seconds since the epoch."""
        return self._loaded

    @property
    def waits(self) -> bool:
        """Whether an evaluation may wait for another host, so that it must not hold the event loop."""
        return self._policy.may_wait and self._terms.http is not None

    @property
    def reads(self) -> frozenset[str] | None:
        """The members of the input that the policies look at; None: any."""
        return self._policy.reads

    @property
    def rules(self) -> frozenset[str]:
        """The rules that may be asked for."""
        return frozenset(self._policy.rules)

    async def decide(self, rule: str, document: Mapping[str, Any]) -> Any:
        """Evaluate a rule; where it may wait for another host, beside the event loop."""
        if self.waits:
            return await asyncio.to_thread(self.evaluate, rule, document)
        return self.evaluate(rule, document)

    def evaluate(self, rule: str, document: Mapping[str, Any]) -> Any:
        """Evaluate a rule here and now."""
        context = Context(time_ns=self._now_ns(), http=self._terms.http)
        evaluation = self._policy.evaluation(document, context, seconds=self._terms.seconds, strict=self._terms.strict)
        try:
            value = self._policy.evaluate(rule, document, evaluation)
            return value if value is UNDEFINED else to_answer(value)
        except (TypeError, ValueError, RecursionError) as error:  # a value that JSON does not have, or too deep for it
            raise PolicyFailed(f"evaluation failed: {type(error).__name__}") from None
        except EvaluationError as error:
            # The text may quote the request: the log gets its code and place.
            detail = f"evaluation failed: {error.code}" + (f" at {error.where}" if error.where else "")
            raise PolicyFailed(detail, "policy_deadline" if error.code == CANCEL_ERROR else "policy_failed") from None


async def load_engine(job: Job, terms: Terms, now_ns: Callable[[], int]) -> CompiledEngine:
    """Compile and load a job's policies."""
    policy, revision = await compile_policy(job)
    return CompiledEngine(policy, revision, terms, now_ns)
