"""Public image-text layouts as rows of a pairs CSV: ROCO, ROCOv2, R2Gen (IU X-ray), MedPix-2.0. Opens no image.

A reader converts a folder, as published by its authors, into rows with the columns of `readers_files.COLUMNS`, `image`
being relative to that folder, and lists what it leaves out. Published splits are used: validation, valid and dev are
"val".

ROCO and ROCOv2 split by figure, so that figures of one paper, often of one patient, are in several splits (1,195
papers do between ROCO's validation and test captions alone). A paper counts as a patient here: test and val keep their
figures, and the other figures of those papers are left out of the weaker split. `as_published` counts each figure as a
patient of its own instead: comparable with published numbers, and leaking.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Rejected, UserError
from training.data.readers_files import (
    DatasetRows,
    image_path,
    json_lines,
    json_object,
    paper_url,
    table,
    text,
    text_value,
)

STRENGTH = {"train": 0, "val": 1, "test": 2}


def roco(folder: Path, as_published: bool = False) -> DatasetRows:
    """ROCO (Pelka et al. 2018): SPLIT/radiology/captions.txt (name, tab, caption), licences.txt, images/.

    The images are named by their ROCO name (the download of all data) or by PMC name (the authors' fetch script).
    """
    found = DatasetRows()
    base = next(option for option in candidate_folders(folder) if any(option.glob("*/radiology/captions.txt")))
    for part, split in (("train", "train"), ("validation", "val"), ("test", "test")):
        radiology = base / part / "radiology"
        if not (radiology / "captions.txt").is_file():
            continue
        licences = {line["ROCO_ID"]: line for line in table(radiology / "licences.txt", "ROCO_ID", "PMC_ID", "CC")}
        for number, line in enumerate(text(radiology / "captions.txt").split("\n"), start=1):
            name, tab, caption = line.partition("\t")
            name = name.strip()
            if not line.strip():
                continue
            if not tab or not name:
                found.reject(f"{radiology / 'captions.txt'}:{number}", "The line has no tab between name and caption.")
                continue
            licence = licences.get(name, {"PMC_ID": "", "CC": ""})
            image = image_path(folder, radiology / "images", name, Path(licence["PMC_ID"]).stem)
            paper = "" if as_published else licence["PMC_ID"].partition("_")[0]
            found.add(
                image=image,
                text=caption,
                split=split,
                patient_id=f"roco-{paper or name}",
                split_group=f"roco-{paper or name}",
                source="ROCO",
                licence=licence["CC"],
                url=paper_url(licence["PMC_ID"]),
            )
    return keep_apart(found)


def rocov2(folder: Path, as_published: bool = False) -> DatasetRows:
    """ROCOv2 (Rückert et al. 2024): SPLIT_captions.csv (ID, Caption), license_information.csv, and SPLIT_images/."""
    found = DatasetRows()
    papers, licences = {}, {}
    for line in table(folder / "license_information.csv", "ID"):
        known = re.search(r"PMC\d+", " ".join(line.values()))
        papers[line["ID"]] = known.group() if known else ""
        licences[line["ID"]] = line.get("Attribution", "")
    for part, split in (("train", "train"), ("valid", "val"), ("test", "test")):
        nested = folder / f"{part}_images" / part
        options = (nested, nested.parent, folder / part)
        images = next((option for option in options if option.is_dir()), options[0])
        for line in table(folder / f"{part}_captions.csv", "ID", "Caption"):
            name = line["ID"]
            paper = papers.get(name, "")
            owner = f"roco-{name if as_published or not paper else paper}"
            found.add(
                image=image_path(folder, images, name),
                text=line["Caption"],
                split=split,
                patient_id=owner,
                split_group=owner,
                source="ROCOv2",
                licence=licences.get(name, ""),
                url=paper_url(paper),
            )
    return keep_apart(found)


def r2gen(folder: Path) -> DatasetRows:
    """R2Gen's annotation.json (IU X-ray, and other sets in its form): a report with one or more files of images/."""
    found = DatasetRows()
    file = folder / "annotation.json"
    for split, entries in json_object(file, text(file)).items():
        if split not in STRENGTH or not isinstance(entries, list):
            raise UserError(
                f"{file} contains {split!r}, but R2Gen has lists named train, val and test; give the original file."
            )
        for number, entry in enumerate(entries, start=1):
            name, paths = str(entry.get("id", "")), entry.get("image_path")
            if not name or not isinstance(paths, list) or not paths:
                found.reject(f"{file} {split}:{number}", "The entry has no id or no image_path.")
                continue
            patient = f"{entry.get('subject_id') or name.partition('_')[0]}"
            indiana = patient.startswith("CXR")
            for path in paths:
                found.add(
                    image=f"images/{path}",
                    text=str(entry.get("report") or ""),
                    split=split,
                    modality="CR" if indiana else "",
                    patient_id=f"iu-{patient}" if indiana else patient,
                    split_group=f"iu-{patient}" if indiana else patient,
                    source="IU X-ray" if indiana else "R2Gen annotation",
                    licence="CC BY-NC-ND 4.0 (Indiana University, Open-i)" if indiana else "",
                )
    return found


def medpix(folder: Path) -> DatasetRows:
    """MedPix-2.0 (Siragusa et al. 2024): splitted_dataset/descriptions_SPLIT.jsonl, data_SPLIT.jsonl, images/."""
    found = DatasetRows()
    base = next(option for option in candidate_folders(folder) if (option / "splitted_dataset").is_dir())
    for part, split in (("train", "train"), ("dev", "val"), ("test", "test")):
        cases = {entry.get("U_id"): entry.get("Case") or {} for entry in json_lines(base, f"data_{part}", found)}
        for entry in json_lines(base, f"descriptions_{part}", found):
            described, case = entry.get("Description") or {}, cases.get(entry.get("U_id"), {})
            name, caption = str(entry.get("image", "")), str(described.get("Caption") or "")
            if caption.startswith("Replace this"):
                found.reject(name, "The caption is the instruction of the form; it was not filled in.")
                continue
            patient = f"medpix-{entry.get('U_id')}"
            found.add(
                image=image_path(folder, base / "images", Path(name).stem),
                text=caption,
                split=split,
                patient_id=patient,
                split_group=patient,
                source="MedPix-2.0",
                modality=text_value(entry, "Type"),
                view=text_value(described, "Plane"),
                finding=text_value(case, "Title"),
                location=text_value(entry, "Location"),
                age=text_value(described, "Age"),
                sex=text_value(described, "Sex"),
                history=text_value(case, "History"),
                case_findings=text_value(case, "Findings"),
                case_diagnosis=text_value(case, "Case Diagnosis"),
                licence="NLM MedPix terms (treat as non-commercial, educational)",
            )
    return found


@dataclass(frozen=True)
class DatasetLayout:
    """A public layout: its reader, and the files that identify it."""

    read: Callable[..., DatasetRows]
    marks: tuple[str, ...]
    """Glob patterns below the folder; any match identifies the layout."""


LAYOUTS = {
    "roco": DatasetLayout(roco, ("*/radiology/captions.txt", "*/*/radiology/captions.txt")),
    "rocov2": DatasetLayout(rocov2, ("train_captions.csv", "valid_captions.csv", "test_captions.csv")),
    "r2gen": DatasetLayout(r2gen, ("annotation.json",)),
    "medpix": DatasetLayout(medpix, ("splitted_dataset", "MedPix-2-0/splitted_dataset")),
}


def read(folder: Path, layout: str = "", as_published: bool = False) -> DatasetRows:
    """Read a folder in a public layout, by default the one that its files identify.

    Raises:
        UserError: no known layout, not the one asked for, or its files cannot be read.
    """
    fitting = [name for name, known in LAYOUTS.items() if any(any(folder.glob(mark)) for mark in known.marks)]
    if not fitting or (layout and layout not in fitting):
        seen = f"; it looks like {fitting[0]}" if fitting else ""
        wanted = layout or f"any known layout ({', '.join(LAYOUTS)})"
        raise UserError(
            f"{folder} does not contain the files of {wanted}{seen}. Give the folder as published, or a CSV."
        )
    chosen = layout or fitting[0]
    options = {"as_published": as_published} if chosen.startswith("roco") else {}
    return LAYOUTS[chosen].read(folder, **options)


def keep_apart(found: DatasetRows) -> DatasetRows:
    """Remove from train the patients that are in val or test, and from val those in test."""
    strongest: dict[str, str] = {}
    for row in found.rows:
        name = row["patient_id"]
        strongest[name] = max(strongest.get(name, "train"), row["split"], key=STRENGTH.__getitem__)
    rows = [row for row in found.rows if row["split"] == strongest[row["patient_id"]]]
    crossing = [
        Rejected(row["image"], f"Another figure of its paper is in the split {strongest[row['patient_id']]}.")
        for row in found.rows
        if row["split"] != strongest[row["patient_id"]]
    ]
    return DatasetRows(rows, found.rejected + crossing)


def candidate_folders(folder: Path) -> tuple[Path, ...]:
    """Folders in which the downloads may have their content."""
    return folder, folder / "data", folder / "all_data", folder / "MedPix-2-0"
