"""The menu "Image": mouse tools, zoom, rotation, and stepping through images, series and key images."""

from collections.abc import Callable

from desktop.commands.command import Command, has_picture
from desktop.desk import Desk
from desktop.state.viewer.cine import SPEED_STEP
from desktop.views.window import MainWindow


def tool(name: str, text: str, key: str = "", icon: str = "", new_group: bool = False, menu: str = "Image") -> Command:
    """A command that chooses the tool of the left mouse button."""
    return Command(
        f"tool_{name}",
        text,
        (key,) if key else (),
        menu,
        lambda desk, window: desk.tools.choose(name),
        icon,
        new_group=new_group,
        checked=lambda desk: desk.tools.chosen == name,
    )


def _scroll(
    name: str, text: str, keys: tuple[str, ...], step: Callable[[Desk], int], new_group: bool = False
) -> Command:
    def go(desk: Desk, window: MainWindow) -> None:
        desk.viewport.scroll(step(desk))

    return Command(name, text, keys, "Image", go, in_viewport=True, new_group=new_group, enabled=has_picture)


def _adjust(
    name: str,
    text: str,
    keys: tuple[str, ...],
    change: Callable[[Desk], object],
    icon: str = "",
    new_group: bool = False,
) -> Command:
    def go(desk: Desk, window: MainWindow) -> None:
        change(desk)

    return Command(name, text, keys, "Image", go, icon, new_group=new_group, enabled=has_picture)


def _can_step(desk: Desk) -> bool:
    return desk.key_images.any_recommended()


ROWS = (
    tool("window", "Window tool", "W", "window"),
    tool("pan", "Pan tool", "T", "pan"),
    tool("zoom", "Zoom tool", "Z", "zoom"),
    tool("scroll", "Scroll tool", "S", "scroll"),
    tool("zoom_to_rectangle", "Zoom to rectangle", "Shift+Z"),
    Command(
        "magnifier",
        "Magnifier (hold the key)",
        (".",),
        "Image",
        lambda d, w: d.magnifier.toggle(),
        "magnifier",
        in_viewport=True,
        held=True,
        checked=lambda d: d.magnifier.on,
        enabled=has_picture,
    ),
    Command(
        "point_with_keys",
        "Point with the keyboard (Enter on the image)",
        (),
        "Image",
        lambda d, w: w.point_with_keys(),
        enabled=has_picture,
    ),
    _adjust("fit_to_viewport", "Fit to viewport", ("F",), lambda d: d.viewport.fit(), "fit", new_group=True),
    _adjust("actual_pixels", "Actual pixels (1:1)", ("O", "Ctrl+0"), lambda d: d.viewport.actual_pixels(), "actual"),
    _adjust("zoom_in", "Zoom in", ("+", "=", "Ctrl++", "Ctrl+="), lambda d: d.viewport.zoom_by(1.25)),
    _adjust("zoom_out", "Zoom out", ("-", "Ctrl+-"), lambda d: d.viewport.zoom_by(0.8)),
    _adjust("rotate_right", "Rotate right", ("Shift+R",), lambda d: d.viewport.rotate(1), "rotate", new_group=True),
    _adjust("rotate_left", "Rotate left", ("Shift+L",), lambda d: d.viewport.rotate(-1)),
    _adjust("flip_horizontally", "Flip horizontally", ("Shift+H",), lambda d: d.viewport.flip(True), "flip"),
    _adjust("flip_vertically", "Flip vertically", ("Shift+F",), lambda d: d.viewport.flip(False)),
    _adjust("reset_view", "Reset view", ("R",), lambda d: d.viewport.reset(), "reset"),
    _scroll("next_image", "Next image", ("Down", "Right"), lambda d: 1, new_group=True),
    _scroll("previous_image", "Previous image", ("Up", "Left"), lambda d: -1),
    _scroll("forward_ten_images", "Forward 10 images", ("PgDown",), lambda d: 10),
    _scroll("back_ten_images", "Back 10 images", ("PgUp",), lambda d: -10),
    _scroll("first_image", "First image", ("Home",), lambda d: -d.viewport.count),
    _scroll("last_image", "Last image", ("End",), lambda d: d.viewport.count),
    Command(
        "play_cine",
        "Play cine",
        ("C",),
        "Image",
        lambda d, w: d.cine.toggle(),
        "play",
        checked=lambda d: d.cine.playing,
        enabled=lambda d: d.cine.playing or d.cine.can_play(),
        new_group=True,
    ),
    Command("cine_faster", "Cine faster", ("Shift+Right",), "Image", lambda d, w: d.cine.change_speed(SPEED_STEP)),
    Command("cine_slower", "Cine slower", ("Shift+Left",), "Image", lambda d, w: d.cine.change_speed(1 / SPEED_STEP)),
    Command("next_series", "Next series", ("Shift+Down",), "Image", lambda d, w: d.study_list.step(1), new_group=True),
    Command("previous_series", "Previous series", ("Shift+Up",), "Image", lambda d, w: d.study_list.step(-1)),
    Command(
        "mark_key_image",
        "Mark as key image",
        ("K",),
        "Image",
        lambda d, w: d.key_images.toggle(),
        "key",
        checked=lambda d: d.key_images.shown_is_key,
        enabled=lambda d: d.key_images.can_mark(),
        new_group=True,
    ),
    Command("next_key_image", "Next key image", ("N",), "Image", lambda d, w: d.key_images.step(1), enabled=_can_step),
    Command(
        "previous_key_image",
        "Previous key image",
        ("Shift+N",),
        "Image",
        lambda d, w: d.key_images.step(-1),
        enabled=_can_step,
    ),
    Command(
        "list_key_images",
        "Key images…",
        ("Ctrl+Shift+K",),
        "Image",
        lambda d, w: w.list_key_images(),
        enabled=lambda d: d.key_images.any(),
    ),
)
