"""One workload's pods: what they are given, and that they are kept small."""

import re
from dataclasses import dataclass

from documents import Built, Wrong


@dataclass
class Pod:
    """A pod template with one container, and what its variables come to."""

    object: dict
    spec: dict
    container: dict
    labels: dict[str, str]
    ports: dict[str, int]
    variables: dict[str, str | None]

    @property
    def whose(self) -> str:
        """For messages."""
        return f"{self.object['kind']} `{self.object['metadata']['name']}`"

    @property
    def is_ours(self) -> bool:
        """Whether `lodge` runs in it."""
        return self.container["image"].split(":")[0].endswith("lodge")

    def check(self) -> None:
        """Volumes, probes, rights, resources."""
        if not self.object["spec"]["selector"]["matchLabels"].items() <= self.labels.items():
            raise Wrong(f"{self.whose} does not select its own pods")
        self._check_volumes()
        self._check_probes()
        self._check_rights()
        self._check_order()

    def _check_volumes(self) -> None:
        claims = self.object["spec"].get("volumeClaimTemplates", [])
        there = {v["name"] for v in self.spec.get("volumes", [])} | {c["metadata"]["name"] for c in claims}
        used = {m["name"] for m in self.container.get("volumeMounts", [])}
        if there != used:
            raise Wrong(f"{self.whose}: volumes and their mounts differ: {', '.join(sorted(there ^ used))}")

    def _check_probes(self) -> None:
        probes = [self.container[k] for k in ("startupProbe", "livenessProbe", "readinessProbe") if k in self.container]
        if self.is_ours and [p["httpGet"]["path"] for p in probes] != ["/healthz", "/healthz", "/readyz"]:
            raise Wrong(f"{self.whose}: probes must ask /healthz, /healthz and /readyz")
        for probe in probes:
            port = probe.get("httpGet", probe.get("tcpSocket", {})).get("port")
            if port is not None and port not in self.ports:
                raise Wrong(f"{self.whose}: no port is named `{port}`")

    def _check_rights(self) -> None:
        pod, container = self.spec["securityContext"], self.container["securityContext"]
        small = (
            pod["runAsNonRoot"] and pod["seccompProfile"]["type"] == "RuntimeDefault"
            and container["readOnlyRootFilesystem"] and not container["allowPrivilegeEscalation"]
            and container["capabilities"]["drop"] == ["ALL"] and self.spec["automountServiceAccountToken"] is False
        )
        if not small:
            raise Wrong(f"{self.whose} has more rights than it needs")
        resources = self.container["resources"]
        if not {"cpu", "memory"} <= set(resources["requests"]) or "memory" not in resources["limits"]:
            raise Wrong(f"{self.whose}: says too little of what it needs")

    def _check_order(self) -> None:
        """`$(NAME)` is only replaced by what stands before it."""
        before = set()
        for variable in self.container.get("env", []):
            for name in re.findall(r"\$\((\w+)\)", variable.get("value", "")):
                if name not in before:
                    raise Wrong(f"{self.whose}: {variable['name']} refers to {name}, which does not stand before it")
            before.add(variable["name"])


def pods(built: Built) -> list[Pod]:
    """Those of all workloads; every name of a ConfigMap, Secret or claim in them is looked up."""
    return [_pod(built, o) for o in built.of("Deployment", "StatefulSet")]


def _pod(built: Built, o: dict) -> Pod:
    whose = f"{o['kind']} `{o['metadata']['name']}`"
    spec = o["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    for volume in spec.get("volumes", []):
        if "configMap" in volume:
            built.find("ConfigMap", volume["configMap"]["name"], whose)
        if "persistentVolumeClaim" in volume:
            built.find("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], whose)
    return Pod(
        object=o,
        spec=spec,
        container=container,
        labels=o["spec"]["template"]["metadata"]["labels"],
        ports={port["name"]: port["containerPort"] for port in container["ports"]},
        variables=_variables(built, container, whose),
    )


def _variables(built: Built, container: dict, whose: str) -> dict[str, str | None]:
    values = {}
    for source in container.get("envFrom", []):
        if "secretRef" in source:
            # What is optional may be there or not; its variables are the operator's.
            if not source["secretRef"].get("optional"):
                secret = built.find("Secret", source["secretRef"]["name"], whose)
                values |= dict.fromkeys(secret["stringData"])
            continue
        values |= built.find("ConfigMap", source["configMapRef"]["name"], whose)["data"]
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        if "secretKeyRef" in source:
            secret = built.find("Secret", source["secretKeyRef"]["name"], whose)
            if source["secretKeyRef"]["key"] not in secret["stringData"]:
                raise Wrong(f"{whose}: Secret `{secret['metadata']['name']}` has no {source['secretKeyRef']['key']}")
        values[variable["name"]] = variable.get("value")
    return values
