"""The rules inside a CRD: `x-kubernetes-validations`, evaluated on custom resources as the API server does."""
