"""Packs the app as an .rpm with `rpmbuild`. It requires shared libraries, not the packages of one distribution."""

import subprocess
from pathlib import Path

from installer.release import Release
from installer.system_libraries import needed
from installer.system_tree import lay_out

SPEC = """%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
%global _buildhost kindred
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _binary_payload {payload}
Name: {package}
Version: {version}
Release: 1
Summary: Radiology assistant that finds earlier cases and drafts reports
License: Apache-2.0 and others, see /usr/lib/kindred/licences
AutoReqProv: no
{requires}
Conflicts: {other}

%description
Kindred opens DICOM studies, finds archived cases that look like them by image or by words, and drafts the report from
theirs. It works offline, on one computer. Research software, not for diagnostic use.

%install
mkdir -p %{{buildroot}}
cp -a {root}/. %{{buildroot}}/

%files
{files}
"""


def build(folder: Path, work: Path, dist: Path, release: Release, fast: bool = False) -> Path:
    """Pack a frozen folder and return the path of the package; arguments as in `debian.build`."""
    root, top = work / "rpm-root", work / "rpmbuild"
    lay_out(folder, root, release)
    libraries = needed(root)
    requires = [
        f"libc.so.6(GLIBC_{libraries.glibc})(64bit)",
        *(f"{name}()(64bit)" for name in sorted(libraries.required)),
    ]
    requires = [one for one in requires if not one.startswith(("ld-linux", "libc.so.6()"))]
    own = [path for path in sorted(root.rglob("*")) if not path.is_dir() or "kindred" in path.relative_to(root).parts]
    spec = SPEC.format(
        package=release.package,
        version=release.version,
        payload="w1.gzdio" if fast else "w6T0.xzdio",
        requires="\n".join(f"Requires: {one}" for one in requires),
        other="kindred-gpu" if release.edition == "cpu" else "kindred",
        root=root,
        files="\n".join(_line(path, root) for path in own),
    )
    (work / "kindred.spec").write_text(spec, encoding="utf-8")
    command = ["rpmbuild", "-bb", "--quiet", "--target", "x86_64", "--define", f"_topdir {top}"]
    environment = {"SOURCE_DATE_EPOCH": str(release.seconds), "PATH": "/usr/bin:/bin", "HOME": str(work)}
    subprocess.run([*command, str(work / "kindred.spec")], env=environment, check=True, stdout=subprocess.DEVNULL)
    made = next((top / "RPMS").rglob("*.rpm"))
    return made.replace(dist / made.name)


def _line(path: Path, root: Path) -> str:
    """The line of the spec for a file or folder; only folders that are Kindred's own are removed with it."""
    is_folder = path.is_dir() and not path.is_symlink()
    return f'{"%dir " if is_folder else ""}"/{path.relative_to(root).as_posix()}"'
