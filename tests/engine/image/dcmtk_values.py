"""Records what DCMTK decodes from real files, as hashes.

Run `python -m tests.engine.image.dcmtk_values` where dcmtk is installed.
"""

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

from tests.engine.dicom_samples import sample
from tests.paths import DATA

RECORD = DATA / "dcmtk_values.json"
FILES = {
    "CT_small.dcm": "dcmconv",
    "MR_small.dcm": "dcmconv",
    "MR_small_bigendian.dcm": "dcmconv",
    "MR_small_implicit.dcm": "dcmconv",
    "MR_small_RLE.dcm": "dcmdrle",
    "MR_small_jpeg_ls_lossless.dcm": "dcmdjpls",
    "emri_small_RLE.dcm": "dcmdrle",
    "emri_small_jpeg_ls_lossless.dcm": "dcmdjpls",
    "emri_small_big_endian.dcm": "dcmconv",
    "rtdose_rle.dcm": "dcmdrle",
    "JPEG-LL.dcm": "dcmdjpeg",
    "JPGLosslessP14SV1_1s_1f_8b.dcm": "dcmdjpeg",
    "693_UNCR.dcm": "dcmconv",
    "RG1_UNCR.dcm": "dcmconv",
    "RG3_UNCR.dcm": "dcmconv",
}
"""Each with DCMTK's tool that makes it uncompressed, explicit little endian."""


def values(name: str, tool: str, folder: Path) -> dict[str, object]:
    """SHA-256 of the stored values of all frames, little endian, and how many bytes they are."""
    plain = folder / "plain.dcm"
    subprocess.run([tool, "+te", sample(name), plain], check=True, capture_output=True)
    subprocess.run(["dcmdump", "+W", folder, plain], check=True, capture_output=True)
    (raw,) = folder.glob("*.raw")
    data = raw.read_bytes()
    raw.unlink()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def main() -> None:
    asked = subprocess.run(["dcmdump", "--version"], check=True, capture_output=True, text=True)
    version = asked.stdout.splitlines()[0].strip("$ ")
    with tempfile.TemporaryDirectory() as folder:
        found = {name: values(name, tool, Path(folder)) for name, tool in FILES.items()}
    RECORD.write_text(json.dumps({"decoder": version, "files": found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
