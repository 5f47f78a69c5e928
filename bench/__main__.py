"""`python -m bench`: every benchmark, one after another."""

import asyncio

from bench import check, should_rate_limit
from bench.measure import show


def main() -> None:
    """Measure and print."""
    show("authz_service: Check", asyncio.run(check.run()))
    show("ratelimit_service: ShouldRateLimit", asyncio.run(should_rate_limit.run()))
    should_rate_limit.show_store()


if __name__ == "__main__":
    main()
