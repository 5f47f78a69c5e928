"""A scanner that finds abc, as the process of a rival."""

from __future__ import annotations

import re

from bench.rivals.serving import serve

if __name__ == "__main__":
    serve("pytest", ["us_ssn"], lambda text: [("us_ssn", *match.span()) for match in re.finditer("abc", text)])
