"""`python -m bench`: every benchmark, one after another."""

# The order is free: authz_service/policy/regopy_library.py sees to it that regopy can be loaded at any place.
from bench import check

# isort: split
import asyncio

from bench import should_rate_limit
from bench.measure import show


def main() -> None:
    """Measure and print."""
    show("authz_service: Check", asyncio.run(check.run()))
    show("ratelimit_service: ShouldRateLimit", asyncio.run(should_rate_limit.run()))


if __name__ == "__main__":
    main()
