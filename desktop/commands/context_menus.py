"""The context menus, as groups of names of commands. Knows no handlers; what is disabled is left out of a menu."""

Groups = tuple[tuple[str, ...], ...]

IMAGE: Groups = (
    ("fit_to_viewport", "actual_pixels", "reset_view", "default_window", "auto_window", "invert"),
    ("magnifier", "mpr", "maximize_viewport"),
    ("next_slab", "thicker_slab", "thinner_slab", "tool_turn_plane", "close_oblique_plane"),
    ("mark_key_image", "insert_into_report"),
    ("find_similar", "compare_with_prior", "compare_with_series"),
    ("copy_image", "export_image", "dicom_tags"),
    ("hide_patient_data",),
)
MEASUREMENT: Groups = (
    ("edit_annotation_text", "insert_into_report"),
    ("delete_measurement", "delete_all_measurements"),
    ("show_measurements", "list_measurements"),
)
SERIES: Groups = (
    ("compare_with_series", "compare_with_prior", "mpr", "find_similar"),
    ("dicom_tags", "list_key_images"),
    ("close_study", "close_all_studies"),
)
REPORT: Groups = (
    ("insert_template", "insert_from_prior", "insert_into_report", "draft_report"),
    ("review_proposals", "review_checks"),
    ("sign_report", "write_addendum", "copy_report", "export_report"),
)
