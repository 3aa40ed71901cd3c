"""The manifests: their schemas, and that every name in them leads somewhere."""

import re
from pathlib import Path

import kubernetes_validate

from documents import Built, Wrong
from pods import Pod, pods
from variables import check_container

# The oldest that is supported here, and the newest that there are schemas for.
VERSIONS = ("1.30", "1.37")


def check_schemas(objects: list[dict]) -> None:
    """Every object against the published schemas; unknown fields are errors."""
    for version in VERSIONS:
        for o in objects:
            whose = f"{o.get('kind')} `{o.get('metadata', {}).get('name')}`"
            try:
                kubernetes_validate.validate(o, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise Wrong(f"{whose}, Kubernetes {version}: {error}") from error
            except kubernetes_validate.SchemaNotFoundError as error:
                raise Wrong(f"{whose}: Kubernetes {version} has no such kind") from error


def check_names(built: Built, known: set[str]) -> None:
    """Every reference of every object."""
    seen = set()
    for o in built.objects:
        name = (o["kind"], o["metadata"]["name"])
        if name in seen:
            raise Wrong(f"{name[0]} `{name[1]}` is there twice")
        seen.add(name)
    all_pods = pods(built)
    for pod in all_pods:
        pod.check()
        if pod.is_ours:
            check_container(pod.whose, pod.variables, known)
            _check_hosts(pod, built)
            _check_grace(pod)
    for service in built.of("Service"):
        _check_service(service, all_pods)
    for policy in built.of("NetworkPolicy"):
        _check_policy(policy, all_pods)
    for budget in built.of("PodDisruptionBudget"):
        _matching(budget, budget["spec"]["selector"], all_pods)
    for scaler in built.of("HorizontalPodAutoscaler"):
        _check_scaler(scaler, built, all_pods)
    for one in built.of("StatefulSet"):
        service = built.find("Service", one["spec"]["serviceName"], f"StatefulSet `{one['metadata']['name']}`")
        if service["spec"].get("clusterIP") != "None":
            raise Wrong(f"Service `{service['metadata']['name']}` must be headless")


def check_files(folder: Path, files: set[Path]) -> None:
    """No manifest that no kustomization names."""
    for path in folder.rglob("*.yaml"):
        if path.resolve() not in files:
            raise Wrong(f"{path.relative_to(folder)}: no kustomization names it")


def _whose(o: dict) -> str:
    return f"{o['kind']} `{o['metadata']['name']}`"


def _selects(selector: dict, labels: dict) -> bool:
    equal = selector.get("matchLabels", {}).items() <= labels.items()
    return equal and all(
        e["operator"] == "In" and labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", [])
    )


def _matching(o: dict, selector: dict, all_pods: list[Pod]) -> list[Pod]:
    found = [pod for pod in all_pods if _selects(selector, pod.labels)]
    if not found:
        raise Wrong(f"{_whose(o)} selects no pods")
    return found


def _check_port(o: dict, port: int | str, found: list[Pod]) -> None:
    if not any(port in pod.ports or port in pod.ports.values() for pod in found):
        raise Wrong(f"{_whose(o)}: port `{port}` is none of the pods'")


def _check_service(service: dict, all_pods: list[Pod]) -> None:
    if service["spec"].get("type") == "ExternalName":
        return
    found = _matching(service, {"matchLabels": service["spec"]["selector"]}, all_pods)
    for port in service["spec"]["ports"]:
        _check_port(service, port.get("targetPort", port["port"]), found)


def _check_policy(policy: dict, all_pods: list[Pod]) -> None:
    here = _matching(policy, policy["spec"]["podSelector"], all_pods)
    for direction, other in (("ingress", "from"), ("egress", "to")):
        for rule in policy["spec"].get(direction, []):
            peers = [p for p in rule.get(other, []) if "podSelector" in p]
            there = [pod for p in peers for pod in _matching(policy, p["podSelector"], all_pods)]
            found = here if direction == "ingress" else there
            for port in rule.get("ports", []) if found else []:
                _check_port(policy, port["port"], found)


def _check_scaler(scaler: dict, built: Built, all_pods: list[Pod]) -> None:
    target = scaler["spec"]["scaleTargetRef"]
    scaled = built.find(target["kind"], target["name"], _whose(scaler))
    if "replicas" in scaled["spec"]:
        raise Wrong(f"{_whose(scaled)} says its replicas, which are the autoscaler's")
    servers = [pod for pod in all_pods if pod.labels.get("app.kubernetes.io/component") == "postgres"]
    each = [pod.variables.get("LODGE_APPS_DATABASE_CONNECTIONS") for pod in all_pods if pod.object is scaled]
    for server in servers:
        most = int(re.search(r"max_connections=(\d+)", " ".join(server.container["args"]))[1])
        if int(each[0]) * scaler["spec"]["maxReplicas"] + 30 > most:
            raise Wrong(f"{_whose(scaler)}: so many workers do not fit into max_connections={most}")


def _check_hosts(pod: Pod, built: Built) -> None:
    """Addresses lead to Services of that port."""
    own = pod.variables
    places = [
        (value, re.match(r"[a-z]+://(?:[^/@]*@)?(?:\$\(\w+\)\.)?([a-z0-9-]+)(?::(\d+))?", value))
        for name, value in own.items()
        if value and name != "ENVIRONMENT_URL"
    ]
    found = [(match[1], int(match[2] or 80)) for _, match in places if match]
    found.append((own["DB_HOST"], int(own["DB_PORT"])))
    for host, port in found:
        service = built.find("Service", host, pod.whose)
        if service["spec"].get("type") != "ExternalName" and port not in [p["port"] for p in service["spec"]["ports"]]:
            raise Wrong(f"{pod.whose}: Service `{host}` has no port {port}")


def _check_grace(pod: Pod) -> None:
    """The time before a pod is killed holds all that it does with it, and 10 s."""
    wait = int(pod.container["lifecycle"]["preStop"]["exec"]["command"][1])
    needed = wait + int(pod.variables.get("LODGE_STOP_GRACE", "10")) + 10
    if pod.spec["terminationGracePeriodSeconds"] < needed:
        raise Wrong(f"{pod.whose}: terminationGracePeriodSeconds must be {needed} or more")
