"""What an API server refuses beyond JSON Schema, by tables.

Each row says where it looks and which rule of Kubernetes it is. Judged is the object that the schema found sound, so
the rules may trust its types. What is not written counts as its default, as in the API server; null as not written.
"""
