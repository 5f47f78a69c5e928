"""Plan → Python source.

module        a plan → one module: constants, functions, entrypoints; and the module → callables
function      one function: locals, blocks and how they are left
statement     each statement → lines
expression    operands, look-ups and comparisons → expressions
"""
