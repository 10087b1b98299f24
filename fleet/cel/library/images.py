"""References to images, as Kyverno's library `image` reads them; Kubernetes has no such functions.

Source: go-containerregistry's package `name`, without strictness: a reference without a registry is of Docker's, one
without a tag has the tag latest.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from fleet.cel import types, values
from fleet.cel.faults import EvaluationError
from fleet.cel.overloads import function, method

IMAGE = types.Type("kyverno.image")

_DOCKER = "index.docker.io"
_REPOSITORY = re.compile(r"[a-z0-9_\-./]{2,255}")
_TAG = re.compile(r"[A-Za-z0-9_\-.]{1,128}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REGISTRY = re.compile(r"[A-Za-z0-9_\-.~]*(:[0-9]*)?|\[[0-9a-fA-F:.]+\](:[0-9]*)?")
_LONGEST = 1024
_PRICE = 20


@dataclass(frozen=True, slots=True)
class Image(values.Opaque):
    type_name: ClassVar[str] = IMAGE.name
    registry: str
    repository: str
    tag: str
    digest: str


class _RefusedError(ValueError):
    pass


def _parsed(text: str) -> Image:
    """Raises _RefusedError. A reference with a digest is known by that alone."""
    if len(text) > _LONGEST:
        raise EvaluationError("the reference to an image is too long to be evaluated")
    base, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _RefusedError("unsupported digest")
    base, tag = _without_tag(base)
    registry, repository = _located(base)
    if at:
        return Image(registry, repository, "", digest)
    return Image(registry, repository, tag or "latest", "")


def _without_tag(text: str) -> tuple[str, str]:
    """What follows the last colon, unless that is a registry's port."""
    base, colon, tag = text.rpartition(":")
    if not colon or "/" in tag:
        return text, ""
    if not _TAG.fullmatch(tag):
        raise _RefusedError("tag is malformed")
    return base, tag


def _located(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_registry = slash and ("." in first or ":" in first or first == "localhost")
    registry, repository = (first, rest) if is_registry else ("", text)
    if not _REPOSITORY.fullmatch(repository) or not _REGISTRY.fullmatch(registry):
        raise _RefusedError("repository or registry is malformed")
    if registry in ("", "docker.io"):
        registry = _DOCKER
    if registry == _DOCKER and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository


def _image(text: str) -> Image:
    try:
        return _parsed(text)
    except _RefusedError as refusal:
        raise EvaluationError(f"could not parse reference: {refusal}") from None


def _is_image(text: str) -> bool:
    try:
        _parsed(text)
    except _RefusedError:
        return False
    return True


_S = types.STRING

OVERLOADS = (
    function("image", (_S,), IMAGE, _image, price=_PRICE),
    function("isImage", (_S,), types.BOOL, _is_image, price=_PRICE),
    method("containsDigest", (IMAGE,), types.BOOL, lambda image: bool(image.digest)),
    method("registry", (IMAGE,), _S, lambda image: image.registry),
    method("repository", (IMAGE,), _S, lambda image: image.repository),
    method("identifier", (IMAGE,), _S, lambda image: image.digest or image.tag),
    method("tag", (IMAGE,), _S, lambda image: image.tag),
    method("digest", (IMAGE,), _S, lambda image: image.digest),
)
