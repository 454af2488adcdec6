"""dist/sbom.json: what the executables are made of, as CycloneDX 1.6; and dist/SHA256SUMS over everything in dist."""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from building.contents import Part

_SPACE = uuid.UUID("6f0f7b52-2f0e-5b0c-9a54-3d6a0c1d7e11")  # ours, so that the same contents have the same serial number


def sbom(parts: Mapping[str, Iterable[Part]], *, version: str, epoch: int) -> dict[str, Any]:
    """The bill of materials of the executables; `parts` by target, `epoch` the commit's time."""
    targets: dict[Part, list[str]] = {}
    for target, found in sorted(parts.items()):
        for part in found:
            targets.setdefault(part, []).append(target)
    components = [_component(part, targets[part]) for part in sorted(targets)]
    root = f"pkg:generic/hookport@{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, json.dumps(components, sort_keys=True) + version)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {"type": "application", "bom-ref": root, "name": "hookport", "version": version, "purl": root},
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [one["bom-ref"] for one in components]}],
    }


def _component(part: Part, targets: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"{_purl(part)}#{len(part.licence)}" if "inside" in part.licence else _purl(part),
        "name": part.name,
        "version": part.version,
        "purl": _purl(part),
        "properties": [{"name": "hookport:target", "value": target} for target in targets],
    }
    if part.licence:
        made["licenses"] = [{"license": {"name": part.licence}}]
    return made


def _purl(part: Part) -> str:
    space = {"deb": "debian/", "rpm": "redhat/"}.get(part.kind, "")
    return f"pkg:{part.kind}/{space}{part.name.replace('@', '%40')}" + (
        f"@{part.version.replace('+', '%2B')}" if part.version else ""
    )


def write_sums(folder: Path) -> None:
    """SHA256SUMS, which `sha256sum --check SHA256SUMS` reads: every file under the folder but itself, in a fixed order."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "SHA256SUMS")
    lines = [f"{digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")


def digest(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
