"""The Rego engine: a plan (OPA's intermediate representation) becomes Python, and Python decides.

plan             the typed plan; `flow` asks what its statements read, write and hold
plan_reader      plan.json → plan, or faults; `regopy_dialect` mends what regopy writes otherwise
lexer, source_checks, compiler_hints
                 Rego text: v0 is refused, and a compiler's complaint gets a hint, before there is a plan
passes/          plan → plan that comes to the same and is cheaper; each can be switched off
codegen/         plan → Python source → code; `literals` is the one place where policy text becomes source
compiled         check, translate, load, evaluate: what the rest of the service uses
runtime          what generated code calls, and the state of one evaluation
values, numbers  Rego's values as Python's; their order, equality and JSON
builtins/        the built-in functions; `http_client` and `http_wire` send the requests of http.send
errors           why an evaluation gives no answer

An input is read and never copied or changed. A compiled policy never changes: threads share it without a lock. No
clock, file or host is touched here, but by the port that http.send is given.
"""
