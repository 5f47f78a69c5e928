"""Generated source → code → what can be called."""

from __future__ import annotations

import pytest

from authz_service.rego_engine.codegen.function import TooDeepError
from authz_service.rego_engine.codegen.loading import NAMESPACE, compile_parts, load


def test_parts_are_run_one_after_another_over_their_data() -> None:
    """Each sees what those before it have made."""
    parts = [
        "CONSTANT_0 = DATA['k']\n",
        "def rule(ev, input, data):\n    return CONSTANT_0\n",
        "ENTRIES = {'a/d': rule}\n",
    ]
    entries = load(list(compile_parts(parts)), {"k": [1]})
    assert entries["a/d"](None, None, None) == [1]  # type: ignore[arg-type]  # this one looks at none of them


def test_one_module_sees_nothing_of_another() -> None:
    """Each has a namespace of its own."""
    code = list(compile_parts(["def rule(ev, input, data):\n    return DATA\n\nENTRIES = {'x': rule}\n"]))
    one, two = load(code, {"k": 1}), load(code, {"k": 2})
    assert one["x"](None, None, None) == {"k": 1}  # type: ignore[arg-type]  # this one looks at none of them
    assert two["x"](None, None, None) == {"k": 2}  # type: ignore[arg-type]  # this one looks at none of them
    assert "ENTRIES" not in NAMESPACE


def test_built_ins_are_found_by_name_with_their_family() -> None:
    """Also those that are loaded only when they are named."""
    code = list(compile_parts(["md5 = builtin('crypto.md5')\nENTRIES = {'md5': md5}\n"]))
    assert load(code, {})["md5"]("") == "d41d8cd98f00b204e9800998ecf8427e"  # type: ignore[call-arg,arg-type]
    with pytest.raises(KeyError):
        load(list(compile_parts(["builtin('no.such')\n"])), {})


def test_what_python_cannot_take_is_too_deep() -> None:
    """By whichever of its limits."""
    deep = "".join("    " * level + "if True:\n" for level in range(150)) + "    " * 150 + "pass\n"
    with pytest.raises(TooDeepError):
        list(compile_parts([deep]))
