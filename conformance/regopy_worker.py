"""`python -m conformance.regopy_worker`: reads a line of JSON for each case, answers with a line.

A policy that makes the library abort ends this process; whoever started it starts another.
"""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import chain
from pathlib import Path

from authz_service.policy.regopy_library import Interpreter, LogLevel, RegoError
from authz_service.rego_engine.equations import grouped
from authz_service.rego_engine.front_end_checks import Sources
from authz_service.rego_engine.source_checks import check_source


def _plan(modules: list[str], rule: str) -> dict[str, str]:
    texts = {f"{number}.rego": text for number, text in enumerate(modules)}
    faults = chain(*(check_source(name, text) for name, text in texts.items()), Sources(texts).faults())
    fault = next(faults, None)
    if fault is not None:
        return {"refused": str(fault)}
    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE
    try:
        for name, text in texts.items():
            interpreter.add_module(name, grouped(text))
        with tempfile.TemporaryDirectory() as folder:
            interpreter.save_bundle(f"{folder}/bundle", interpreter.build(None, [rule]))
            return {"plan": Path(folder, "bundle", "plan.json").read_text("utf-8")}
    except RegoError as error:
        text = str(error)
        at = text.find("(errormsg ")
        return {"refused": text[at:].partition(":")[2].partition(")")[0] if at >= 0 else "the compiler refuses it"}


if __name__ == "__main__":
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(_plan(job["modules"], job["rule"])), flush=True)
