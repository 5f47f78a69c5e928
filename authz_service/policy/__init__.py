"""May it: from a request, who sent it and what it carries, to a verdict.

target           the request line's path → the one path that policies judge
bodies/          a request's body → the value that it has, where there is one meaning
mcp              a body that is a message of the Model Context Protocol → what it asks for
document         request + identity + findings → the Rego input
engine           the port: input → the decision rule's value
compiled_engine  the port over a compiled policy
opa_server       the port over a remote OPA server; `opa_source` hears which policies it has
decision_cache   results that the policy lets stand for a while
verdict          the decision rule's value → a typed verdict; an unknown shape denies

How a policy comes to be compiled (by `rego_engine`), in the order of its way:

token_file       a bearer token for whoever is asked
watching         files that are watched, a URL that is asked: each change becomes another engine
sources          .rego and data files of a folder
bundles/         or an OPA bundle, verified
compiling        runs the compiling process, and loads what comes out beside the event loop
compile_child    that process for sources, `bundle_child` for a bundle, `test_child` for tests at the terminal;
                 `child_process` is what they share
regopy_compiler  sources → a plan, or faults with file and row
regopy_library   regopy, loaded so that it can live beside other C++ libraries
artifacts        what the process hands over, part by part
policy_tests     the policies' own tests, and what they reach
explaining       the trail of an evaluation → which rules held, which failed, and where
"""
