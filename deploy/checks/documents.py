"""Reads YAML files and kustomizations: what the folder would become in a cluster."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml


class Wrong(Exception):
    """Something in the files that is not right, in words for whoever wrote them."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, as kustomize does and PyYAML does not."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise Wrong(f"`{key.value}` stands twice{key.start_mark}")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read(path: Path) -> list[dict]:
    """The documents of a file."""
    try:
        return [document for document in yaml.load_all(path.read_text(), _Loader) if document]
    except yaml.YAMLError as error:
        raise Wrong(f"{path.name}: {error}") from error


def read_variables(path: Path) -> dict[str, str]:
    """A file of NAME=value lines."""
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


@dataclass
class Built:
    """A kustomization with all that it refers to, its generated objects under their plain names."""

    objects: list[dict] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)

    def of(self, *kinds: str) -> list[dict]:
        """The objects of some kinds."""
        return [o for o in self.objects if o["kind"] in kinds]

    def find(self, kind: str, name: str, whose: str) -> dict:
        """One object, referred to by another."""
        for o in self.of(kind):
            if o["metadata"]["name"] == name:
                return o
        raise Wrong(f"{whose} refers to {kind} `{name}`, which is nowhere")


# What this reader understands. More in a kustomization would change what it is read as.
_KNOWN = {
    "apiVersion", "kind", "namespace", "labels", "resources", "images", "configMapGenerator", "secretGenerator",
}


def build(folder: Path) -> Built:
    """Follows a kustomization."""
    path = folder / "kustomization.yaml"
    if not path.exists():
        raise Wrong(f"{folder}: no kustomization.yaml")
    built = Built(files={path.resolve()})
    (top,) = read(path)
    unknown = set(top) - _KNOWN
    if unknown:
        raise Wrong(f"{path}: the check does not know {', '.join(sorted(unknown))}; teach it")
    for name in top.get("resources", []):
        target = folder / name
        if target.is_dir():
            inner = build(target)
            built.objects += inner.objects
            built.files |= inner.files
        elif target.is_file():
            built.objects += read(target)
            built.files.add(target.resolve())
        else:
            raise Wrong(f"{path}: `{name}` does not exist")
    for kind, generator in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        built.objects += [_generate(folder, kind, one, built.files) for one in top.get(generator, [])]
    return built


def _generate(folder: Path, kind: str, generator: dict, files: set[Path]) -> dict:
    data = {}
    for literal in generator.get("literals", []):
        name, _, value = literal.partition("=")
        data[name] = value
    for name in generator.get("files", []) + generator.get("envs", []):
        target = folder / name
        if not target.is_file():
            raise Wrong(f"{folder}/kustomization.yaml: `{name}` does not exist")
        files.add(target.resolve())
        if name in generator.get("envs", []):
            data |= read_variables(target)
        else:
            data[target.name] = target.read_text()
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": generator["name"]},
        "data" if kind == "ConfigMap" else "stringData": data,
    }
