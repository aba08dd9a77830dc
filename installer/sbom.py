"""Writes the bill of materials (CycloneDX 1.6) and the texts of the licences into the frozen folder."""

import shutil
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Entry
from cyclonedx.model.component import ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from installer.components import Component
from installer.licensing import is_allowed
from installer.release import Release

SBOM, LICENCES = "sbom.cdx.json", "licences"
TEXTS = Path(__file__).with_name("licences")


def require_allowed(parts: Iterable[Component]) -> None:
    """Refuse to pack what is under the GPL.

    Raises:
        PermissionError: a part is under a licence that is not allowed.
    """
    refused = [f"{one.name} ({one.licence})" for one in parts if not is_allowed(one.licence)]
    if refused:
        raise PermissionError(
            f"These must not be packed: {', '.join(refused)}; exclude them in installer/selection.py."
        )


def write_sbom(parts: Iterable[Component], folder: Path, release: Release) -> Path:
    """Write the bill of materials into a folder and return its path; the same parts give the same file."""
    factory = LicenseFactory()
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"kindred {release.version} {release.edition} {release.commit}")
    )
    bom.metadata.timestamp = datetime.fromtimestamp(release.seconds, UTC)
    entries = []
    for one in parts:
        entry = Entry(
            name=one.name,
            version=one.version or None,
            type=ComponentType(one.kind),
            purl=PackageURL.from_string(one.purl) if one.purl else None,
            licenses=[factory.make_from_string(one.licence)],
            bom_ref=f"{one.name}@{one.version}",
        )
        if one.kind == "application":
            bom.metadata.component = entry
        else:
            entries.append(entry)
    bom.components.update(entries)
    if bom.metadata.component is not None:
        bom.register_dependency(bom.metadata.component, entries)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    path = folder / SBOM
    path.write_text(text + "\n", encoding="utf-8")
    return path


def write_licences(parts: Iterable[Component], folder: Path, release: Release) -> Path:
    """Copy the texts of all licences into a folder, one for each part, with a list of them, and return it."""
    target = folder / LICENCES
    shutil.rmtree(target, ignore_errors=True)
    left_out = set() if release.edition == "gpu" else {"NVIDIA-NOTICE.txt"}
    shutil.copytree(TEXTS, target, ignore=lambda _, names: left_out & set(names))
    lines = [f"{one.name} {one.version}: {one.licence}".replace(" :", ":") + "\n" for one in parts]
    (target / "LIST.txt").write_text("".join(lines), encoding="utf-8")
    for one in parts:
        home = target / f"{one.name} {one.version}".strip().replace(" ", "-").replace("/", "-")
        for number, path in enumerate(one.texts):
            home.mkdir(exist_ok=True)
            taken = (home / path.name).exists()
            shutil.copyfile(path, home / (f"{number}-{path.name}" if taken else path.name))
    return target
