"""Shipped and own templates, and which of them suits a study."""

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.reports.templates.library import best, delete, import_template, save, templates
from engine.reports.templates.notation import parts_of
from engine.reports.templates.template import Template


def test_every_shipped_template_has_a_modality_a_region_and_a_required_impression(tmp_path: Path) -> None:
    shipped = templates(tmp_path)
    assert len(shipped) == 10
    for template in shipped:
        assert template.modality
        assert template.region
        assert [field.name for field in template.fields if field.rule == "required"][-1] == "Impression"


@pytest.mark.parametrize(
    ("modality", "region", "name"),
    [("CT", "chest", "CT chest"), ("MR", "limb", "MR joint"), ("CT", "neck", None), ("", "chest", None)],
)
def test_the_template_of_the_modality_and_region_suits(
    tmp_path: Path, modality: str, region: str, name: str | None
) -> None:
    found = best(templates(tmp_path), modality, region)
    assert (found.name if found else None) == name


def test_an_own_template_goes_before_the_shipped_one_until_it_is_deleted(tmp_path: Path) -> None:
    save(Template("CT chest", parts_of("Mine: [Mine]"), "CT", "chest"), tmp_path)
    found = best(templates(tmp_path), "CT", "chest")
    assert found is not None
    assert found.own
    assert found.text == "Mine: [Mine]"
    delete("CT chest", tmp_path)
    found = best(templates(tmp_path), "CT", "chest")
    assert found is not None
    assert not found.own


def test_an_own_template_of_any_region_suits_where_there_is_none_for_the_region(tmp_path: Path) -> None:
    save(Template("Any CT", parts_of("Text: [Text]"), "CT"), tmp_path)
    found = best(templates(tmp_path), "CT", "neck")
    assert found is not None
    assert found.name == "Any CT"


def test_a_file_is_imported_and_a_damaged_one_in_the_folder_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "theirs.html"
    path.write_text("<html><title>Theirs</title><body><p>Lungs: <input title='Lungs'></p></body></html>")
    assert import_template(path, tmp_path).name == "Theirs"
    (tmp_path / "templates" / "damaged.html").write_bytes(b"\x00")
    assert [template.name for template in templates(tmp_path) if template.own] == ["Theirs"]
    with pytest.raises(UserError):
        import_template(tmp_path / "missing.html", tmp_path)
    with pytest.raises(UserError, match="name"):
        save(Template("!!", ()), tmp_path)
