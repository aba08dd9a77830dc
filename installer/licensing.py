"""The licences of what is packed, as SPDX expressions, and which of them are refused."""

import importlib.metadata
from dataclasses import dataclass
from typing import Any

from license_expression import get_spdx_licensing

CHOSEN = {
    "pyside6-essentials": "LGPL-3.0-only",
    "shiboken6": "LGPL-3.0-only",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
    "pydicom": "MIT",
    "pydicom-data": "MIT",
    "dicom-anonymizer": "BSD-3-Clause",
    "onnxruntime": "MIT",
    "onnxruntime-gpu": "MIT",
    "tokenizers": "Apache-2.0",
    "pylibjpeg": "MIT",
    "pylibjpeg-rle": "MIT",
    "pylibjpeg-openjpeg": "MIT",
    "pyjpegls": "MIT",
    "pluggy": "MIT",
    "colorama": "BSD-3-Clause",
    "jaraco.classes": "MIT",
    "backports.tarfile": "MIT",
    "sqlcipher3": "Zlib AND BSD-3-Clause AND Apache-2.0",  # the wrapper, SQLCipher, and OpenSSL inside
    "sqlite-fts4": "Apache-2.0",
    "defusedxml": "PSF-2.0",
    "furo": "MIT",
    "flatbuffers": "Apache-2.0",
    "protobuf": "BSD-3-Clause",
    "click-default-group": "LicenseRef-public-domain",
    "pynetdicom": "MIT",
    "dicomweb-client": "MIT",
}
"""Of packages that offer several licences, or that name theirs in other words."""


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library that is part of a package, or comes from the system."""

    pattern: str
    """Of its file name."""
    name: str
    licence: str


LIBRARIES = (
    Library("libscipy_openblas*", "OpenBLAS", "BSD-3-Clause"),
    Library("libopenblas*", "OpenBLAS", "BSD-3-Clause"),
    Library("libgfortran*", "libgfortran", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    Library("libgomp*", "libgomp", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    Library("libquadmath*", "libquadmath", "LGPL-2.1-or-later"),
    Library("libicu*", "ICU", "Unicode-3.0"),
    Library("libQt6*", "Qt", "LGPL-3.0-only"),
    Library("libcharls*", "CharLS", "BSD-3-Clause"),
    Library("libjpeg*", "libjpeg-turbo", "IJG AND BSD-3-Clause AND Zlib"),
    Library("liblcms2*", "Little CMS", "MIT"),
    Library("liblzma*", "XZ Utils", "0BSD"),
    Library("libopenjp2*", "OpenJPEG", "BSD-2-Clause"),
    Library("libsharpyuv*", "libwebp", "BSD-3-Clause"),
    Library("libwebp*", "libwebp", "BSD-3-Clause"),
    Library("libtiff*", "libtiff", "libtiff"),
    Library("libXau*", "libXau", "MIT-open-group"),
    Library("libxcb*", "libxcb", "MIT"),
    Library("libzstd*", "Zstandard", "BSD-3-Clause"),
    Library("libsqlite3*", "SQLite", "blessing"),
    Library("libcrypto*", "OpenSSL", "Apache-2.0"),
    Library("libssl*", "OpenSSL", "Apache-2.0"),
    Library("libbz2*", "bzip2", "bzip2-1.0.6"),
    Library("libcud*", "CUDA and cuDNN", "LicenseRef-NVIDIA-Proprietary"),
    Library("libcublas*", "cuBLAS", "LicenseRef-NVIDIA-Proprietary"),
    Library("libcu[fr]*", "cuFFT and cuRAND", "LicenseRef-NVIDIA-Proprietary"),
    Library("libnv*", "NVRTC and nvJitLink", "LicenseRef-NVIDIA-Proprietary"),
    Library("libuuid*", "libuuid", "BSD-3-Clause"),
    Library("libpq*", "PostgreSQL", "PostgreSQL"),
    Library("libldap*", "OpenLDAP", "OLDAP-2.8"),
    Library("liblber*", "OpenLDAP", "OLDAP-2.8"),
    Library("libsasl2*", "Cyrus SASL", "BSD-3-Clause-Attribution"),
    Library("libkrb5*", "MIT Kerberos", "MIT"),
    Library("libk5crypto*", "MIT Kerberos", "MIT"),
    Library("libgssapi_krb5*", "MIT Kerberos", "MIT"),
    Library("libcom_err*", "libcom_err", "MIT"),
    Library("libkeyutils*", "keyutils", "LGPL-2.1-or-later"),
    Library("libcrypt-*", "libxcrypt", "LGPL-2.1-or-later"),
)
EXCEPTIONS = ("GCC-exception-3.1", "Bootloader-exception")
"""Under which code of the GPL may be part of programs under any licence."""

_licensing = get_spdx_licensing()


def licence_of(owner: importlib.metadata.Distribution) -> str:
    """The SPDX expression of an installed package.

    Raises:
        LookupError: it names none, and `CHOSEN` has none.
    """
    name = owner.name.lower().replace("_", "-")
    found = CHOSEN.get(name) or _stated(owner)
    if not _is_expression(found) and not found.startswith("LicenseRef-"):
        raise LookupError(f"The licence of {owner.name} is not known; add it to CHOSEN in installer/licensing.py.")
    return found


def _stated(owner: importlib.metadata.Distribution) -> str:
    """What a package says of its licence, in the field for an expression or in the one for any words."""
    fields = owner.metadata.json
    return str(fields.get("license_expression") or fields.get("license") or "")


def is_allowed(licence: str) -> bool:
    """Whether something under this licence may be packed: nothing under the GPL or AGPL without an exception.

    Of alternatives one must be allowed, of licences that all apply every one.
    """
    return _allowed(_licensing.parse(licence)) if _is_expression(licence) else licence.startswith("LicenseRef-")


def _allowed(node: Any) -> bool:
    if type(node).__name__ in ("AND", "OR"):
        answers = [_allowed(one) for one in node.args]
        return all(answers) if type(node).__name__ == "AND" else any(answers)
    if hasattr(node, "exception_symbol"):
        return node.exception_symbol.key in EXCEPTIONS or _allowed(node.license_symbol)
    return not node.key.startswith(("GPL-", "AGPL-"))


def _is_expression(text: str) -> bool:
    return bool(text) and not _licensing.validate(text).errors
