"""The Compose file: its schema, its names, its variables."""

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema

from documents import Wrong, read, read_variables
from variables import check_container


def check(folder: Path, known: set[str]) -> str:
    """Checks `compose.yaml` beside the `.env` that make-secrets wrote."""
    (top,) = read(folder / "compose.yaml")
    schema = files("check_jsonschema.builtin_schemas.vendor") / "compose-spec.json"
    validator = jsonschema.validators.validator_for(schema := json.loads(schema.read_text()))(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(top))
    if error:
        raise Wrong(f"compose.yaml: {'/'.join(map(str, error.absolute_path))}: {error.message}")
    _check_substitutions(folder)
    services = top["services"]
    for name, service in services.items():
        _check_names(name, service, top, folder)
        if service["image"].startswith("${LODGE_IMAGE"):
            values = {key: str(value) for key, value in service["environment"].items()}
            check_container(f"compose.yaml, {name}", values, known)
            _check_hosts(name, values, services)
    names = [s["environment"]["ENVIRONMENT_NAME"] for s in services.values() if _is_worker(s)]
    if len(names) != len(set(names)) or not names:
        raise Wrong("compose.yaml: each worker needs an ENVIRONMENT_NAME of its own")
    _check_ports(services)
    return f"compose.yaml: {len(services)} services, {len(names)} workers"


def _is_worker(service: dict) -> bool:
    return service.get("environment", {}).get("APP_MODE") == "worker"


def _check_substitutions(folder: Path) -> None:
    """Every `${NAME}` without a default is in the file that make-secrets writes."""
    lines = [line for line in (folder / "compose.yaml").read_text().splitlines() if not line.lstrip().startswith("#")]
    secrets = read_variables(folder / ".env")
    for name, default in re.findall(r"(?<!\$)\$\{(\w+)(:-)?", "\n".join(lines)):
        if not default and name not in secrets:
            raise Wrong(f"compose.yaml: make-secrets does not write {name}")


def _check_names(name: str, service: dict, top: dict, folder: Path) -> None:
    for network in service.get("networks", []):
        if network not in top["networks"]:
            raise Wrong(f"compose.yaml, {name}: no network `{network}`")
    for other in service.get("depends_on", {}):
        if "healthcheck" not in top["services"].get(other, {}):
            raise Wrong(f"compose.yaml, {name}: depends on `{other}`, which is no service with a health check")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        exists = (folder / source).exists() if source.startswith(".") else source in top["volumes"]
        if not exists:
            raise Wrong(f"compose.yaml, {name}: volume `{source}` does not exist")
    build = service.get("build")
    if build and not (folder / build["context"] / build["dockerfile"]).is_file():
        raise Wrong(f"compose.yaml, {name}: {build['dockerfile']} does not exist")


def _check_hosts(name: str, values: dict[str, str], services: dict) -> None:
    """Addresses between services lead to services."""
    for variable, value in values.items():
        if variable == "ENVIRONMENT_URL":
            continue  # the visitors', outside
        host = value if variable == "DB_HOST" else _host(value)
        if host and host not in services:
            raise Wrong(f"compose.yaml, {name}: {variable} leads to `{host}`, which is no service")
        if variable == "ENVIRONMENT_PROXY_URL" and host != name:
            raise Wrong(f"compose.yaml, {name}: ENVIRONMENT_PROXY_URL leads to `{host}`, another one")


def _host(url: str) -> str | None:
    found = re.match(r"[a-z]+://(?:[^/@]*@)?([^:/]+)", url)
    return found[1] if found else None


def _check_ports(services: dict) -> None:
    taken = [port.rsplit(":", 1)[0].rsplit(":", 1)[-1] for s in services.values() for port in s.get("ports", [])]
    if len(taken) != len(set(taken)):
        raise Wrong("compose.yaml: two services have one port of the machine")
