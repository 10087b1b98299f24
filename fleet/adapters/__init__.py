"""The real world behind the ports: git, Kubernetes, HTTP, disk, programs. Only fleet.cli wires them."""
