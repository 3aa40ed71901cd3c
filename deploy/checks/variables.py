"""Which environment variables `lodge serve` knows, read from its source; and which of them are secret."""

import re
from pathlib import Path

from documents import Wrong

# Read by libraries rather than as a setting.
_OF_LIBRARIES = {"RUST_LOG", "TZ"}
_SECRET = re.compile(r"(_KEY|PASSWORD|REDIS_URL|DATABASE_URL)$")


def known(root: Path) -> set[str]:
    """The variables of the settings, and those that are accepted without effect."""
    folder = root / "host/lodge/src/config"
    settings = re.findall(r'^    \w+: \w+, "([A-Z_]+)",', (folder / "args.rs").read_text(), re.M)
    mode = (folder / "mode.rs").read_text()
    without = re.search(r"const WITHOUT_EFFECT.*?\];", mode, re.S)
    accepted = re.findall(r'\(\s*"([A-Z_]+)"', without[0] if without else "")
    if len(settings) < 20 or "APP_MODE" not in settings or not accepted:
        raise Wrong(f"{folder}: the settings are no longer written as this check reads them")
    return set(settings) | set(accepted) | _OF_LIBRARIES


def check_container(whose: str, values: dict[str, str | None], known_ones: set[str]) -> None:
    """The variables of one container of ours, by name; None: the value is a secret's."""
    referred = set(re.findall(r"\$\((\w+)\)", " ".join(v for v in values.values() if v)))
    for name, value in values.items():
        if name not in known_ones and name not in referred:
            raise Wrong(f"{whose}: {name} is no variable of `lodge serve`")
        open_secret = value and not re.search(r"\$[({]\w*(KEY|PASSWORD)", value)
        if _SECRET.search(name) and open_secret:
            raise Wrong(f"{whose}: {name} is written in the file; take it from a secret")
    _check_role(whose, {name for name, value in values.items() if value != ""}, values)


def _check_role(whose: str, given: set[str], values: dict[str, str | None]) -> None:
    """What each part cannot do without; `lodge serve` itself is stricter."""
    needed = {
        "APP_DISCOVERY_ADAPTER", "APP_PROCESS_ADAPTER", "APP_COMMAND_ADAPTER", "APP_SUPERVISOR_REDIS_URL",
        "LODGE_CLUSTER_KEY", "LODGE_SECRET_KEY",
    }
    if values.get("APP_MODE") == "worker":
        needed |= {"ENVIRONMENT_NAME", "ENVIRONMENT_PROXY_URL"}
    elif values.get("APP_MODE") != "supervisor":
        raise Wrong(f"{whose}: APP_MODE is neither supervisor nor worker")
    missing = sorted(needed - given)
    if missing:
        raise Wrong(f"{whose}: lacks {', '.join(missing)}")


def check_text(path: Path, known_ones: set[str]) -> int:
    """Lines that set variables: in a Dockerfile, a unit, a shell example. How many there were."""
    pattern = re.compile(r"(?:^|[\s`(])(?:Environment=)?#?((?:APPS?|DB|DATABASE|ENVIRONMENT|INIT_ROOT|LODGE|SUPERVISOR)_[A-Z_]+)=")
    names = pattern.findall(path.read_text())
    of_commands = {"LODGE_URL", "LODGE_TOKEN", "LODGE_IMAGE"}
    for name in names:
        if name not in known_ones | of_commands:
            raise Wrong(f"{path.name}: {name} is no variable of `lodge serve`")
    return len(names)
