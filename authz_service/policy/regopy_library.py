"""Loads regopy so that it can live in one process with other C++ libraries. The only file that imports it.

regopy's library brings an allocator of its own and exports `operator new` and `operator delete`. Where it is the first
to load libstdc++, the strings that libstdc++ makes for all other libraries come from that allocator, and they free them
with another: RE2 then aborts the process on some patterns. Where libstdc++ was loaded before, it is regopy that frees
what it does not own. With libstdc++ in the global scope first, every library finds the same pair, and the order in
which they are loaded does not matter.
"""

from __future__ import annotations

import ctypes
import sys

if sys.platform == "linux":
    ctypes.CDLL("libstdc++.so.6", mode=ctypes.RTLD_GLOBAL)

# isort: split
from regopy import Interpreter, LogLevel, RegoError
from regopy.rego_shared import rego_is_available_builtin

__all__ = ["Interpreter", "LogLevel", "RegoError", "rego_is_available_builtin"]
