"""May it: from a request, who sent it and what it carries, to a verdict.

target           the request line's path → the one path that policies judge
document         request + identity + findings → the Rego input
engine           the port: input → the decision rule's value
sources          .rego and data files of a folder → what an engine compiles
regopy_library   regopy, loaded so that it can live beside other C++ libraries
regopy_compiler  sources → a compiled bundle, or faults with file and row; runs in a process of its own
regopy_engine    the port over regopy's virtual machine
verdict          the decision rule's value → a typed verdict; an unknown shape denies
"""
