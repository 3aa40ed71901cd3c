"""Checks the files of deploy/ as they would be used: in a copy, with secrets made by make-secrets.

Against the schemas that Kubernetes and the Compose specification publish, and for what schemas cannot
say: that names lead somewhere, that variables are those of `lodge serve`, that time limits fit. Where
kubectl or kustomize is installed, what they build is checked too.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import compose
import kubernetes
import variables
import yaml
from documents import Built, Wrong, build

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs everything; the first thing that is wrong ends it."""
    with tempfile.TemporaryDirectory() as scratch:
        # As deep as in the tree, with what the image is built from beside it.
        folder = Path(scratch) / "deploy"
        ignored = shutil.ignore_patterns(".env", "secrets.env", "__pycache__")
        shutil.copytree(ROOT / "deploy", folder, ignore=ignored)
        try:
            for line in check(folder):
                print(f"ok  {line}")
        except Wrong as wrong:
            print(f"WRONG  {wrong}", file=sys.stderr)
            return 1
    return 0


def check(folder: Path):
    """Yields a line for each part that is right."""
    overlays = sorted((folder / "kubernetes/overlays").iterdir())
    for place in [folder / ".env", *(overlay / "secrets.env" for overlay in overlays)]:
        subprocess.run([folder / "make-secrets", place], check=True, capture_output=True)
        again = subprocess.run([folder / "make-secrets", place], check=False, capture_output=True)
        if again.returncode == 0 or place.stat().st_mode & 0o077:
            raise Wrong("make-secrets overwrites what is there, or lets others read it")
    known = variables.known(ROOT)
    yield f"{len(known)} variables of `lodge serve`"
    yield compose.check(folder, known)
    files = set()
    for overlay in overlays:
        built = build(overlay)
        files |= built.files
        kubernetes.check_schemas(built.objects)
        kubernetes.check_names(built, known)
        yield f"{overlay.name}: {len(built.objects)} objects, Kubernetes {' and '.join(kubernetes.VERSIONS)}"
        yield f"{overlay.name}: {check_built(overlay, built)}"
    kubernetes.check_files(folder / "kubernetes", files)
    for path in [folder / "Dockerfile", folder / "systemd/lodge.service", ROOT / "docs/clusters.md"]:
        yield f"{path.name}: {variables.check_text(path, known)} variables"
    yield check_dockerfile(folder)


def check_built(overlay: Path, ours: Built) -> str:
    """What kustomize makes of it is right too, and the same objects."""
    command = next((c for c in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(c[0])), None)
    if not command:
        return "neither kustomize nor kubectl is here; what they build was NOT checked"
    done = subprocess.run([*command, overlay], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Wrong(f"{' '.join(command)}: {done.stderr.strip()}")
    theirs = list(yaml.safe_load_all(done.stdout))
    kubernetes.check_schemas(theirs)
    plain = {(o["kind"], o["metadata"]["name"]) for o in ours.objects}
    for o in theirs:
        name = o["metadata"]["name"]
        # Generated ones have a sign of their content behind their name.
        if not {(o["kind"], name), (o["kind"], name.rpartition("-")[0])} & plain:
            raise Wrong(f"{' '.join(command)} makes {o['kind']} `{name}`, which this check does not see")
    if len(theirs) != len(plain):
        raise Wrong(f"{' '.join(command)} makes {len(theirs)} objects, this check sees {len(plain)}")
    return f"`{' '.join(command)}` agrees"


def check_dockerfile(folder: Path) -> str:
    """What it copies from the tree is there."""
    copied = 0
    for line in (folder / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--from"):
            for source in words[1:-1]:
                copied += 1
                if not (ROOT / source).exists():
                    raise Wrong(f"Dockerfile: {source} does not exist")
    return f"Dockerfile: {copied} sources"


if __name__ == "__main__":
    sys.exit(main())
