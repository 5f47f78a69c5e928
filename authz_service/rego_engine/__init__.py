"""The embedded Rego engine."""
