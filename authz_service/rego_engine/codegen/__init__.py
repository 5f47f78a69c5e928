"""Plan → Python source → code.

module        a plan → the parts of one module: constants, functions, tables, entrypoints
function      one function: its lines, its blocks and how they are left
statement     each statement → lines; `building` those that build arrays, objects and sets
expression    operands, look-ups and comparisons → expressions
inline        calls of built-ins → expressions, the commonest without a call
calls         which functions are worth remembering, and how deep they call one another
loading       source → code → what can be called
"""
