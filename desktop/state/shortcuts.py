"""The keys of the commands: the defaults, and the user's own, which the settings store. Knows no widgets.

Only keys that differ from the default are stored, under the names of the commands. An entry that cannot be used is told
once and the default is used; it stays in the file until the user changes something.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence

from desktop.state.settings import SettingsState

EDITING = {
    *(Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End),
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape),
    *(Qt.Key.Key_Space, Qt.Key.Key_Backspace, Qt.Key.Key_Delete),
}
"""Keys that lists and texts need, unless Ctrl or Alt is held."""
ALWAYS_TAKEN = {Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_unknown}
HELD = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier


@dataclass(frozen=True, slots=True)
class Bound:
    """What a command is as far as its keys are concerned."""

    name: str
    text: str
    menu: str
    default: tuple[str, ...] = ()
    in_viewport: bool = False
    """Its keys work only while a viewport has the keyboard."""


class ShortcutsState(QObject):
    """The keys in use. `define` says once which commands there are."""

    changed = Signal()
    problem = Signal(str)
    """Own keys of the settings cannot be used, as one sentence."""

    def __init__(self, settings: SettingsState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.commands: dict[str, Bound] = {}
        """In the order of the menus."""
        self._menu_keys: dict[str, str] = {}
        self._stored: Mapping[str, Any] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        settings.changed.connect(self._on_settings)

    def define(self, commands: Sequence[Bound], menus: Mapping[str, str]) -> None:
        """Take the commands, and the titles of the menus by their keys, such as "Alt+F"."""
        self.commands = {command.name: command for command in commands}
        self._menu_keys = {portable(key): title for key, title in menus.items()}
        self._stored = self._settings.now.shortcuts
        self._keys, problems = self._effective(self._stored)
        if problems:
            rest = f" {len(problems) - 1} more." if len(problems) > 1 else ""
            self.problem.emit(f"Own shortcut ignored, the default is used: {problems[0]}{rest}")
        self.changed.emit()

    # -- what is in use

    def keys(self, name: str) -> tuple[str, ...]:
        """All keys of a command, as QKeySequence writes them for files."""
        return self._keys.get(name, ())

    def shown(self, name: str, every: bool = False) -> str:
        """The first key of a command, or all of them, as the screen shows them; "" for none."""
        keys = [QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in self.keys(name)]
        return ", ".join(keys if every else keys[:1])

    def fill(self, text: str) -> str:
        """A text with the key of a command in place of each "{name}"; one without a key goes with its brackets."""
        for name in re.findall(r"\{(\w+)\}", text):
            key = self.shown(name)
            empty = (rf" \(\{{{name}\}}\)", rf"\{{{name}\}}[;,] ")
            for pattern in () if key else empty:
                text = re.sub(pattern, "", text)
            menu = f"{self.commands[name].menu} menu" if name in self.commands else ""
            text = text.replace(f"{{{name}}}", key or menu)
        return text

    def is_own(self, name: str) -> bool:
        """Whether the keys of a command differ from its default."""
        return self.keys(name) != _portable(self.commands[name].default)

    # -- changes

    def why_not(self, name: str, key: str) -> str:
        """Why a key cannot be given to a command at all; "" if it can, even if another command has it."""
        return self._refusal(self.commands[name], key)

    def holder(self, name: str, key: str) -> Bound | None:
        """Another command that has a key, in any of the menus."""
        wanted = portable(key)
        return next((one for one in self.commands.values() if one.name != name and wanted in self.keys(one.name)), None)

    def assign(self, name: str, keys: Sequence[str]) -> None:
        """Give keys to a command, and take them from whichever command has them; no keys removes all."""
        now = dict(self._keys)
        given = _portable(keys)
        for other in self.commands:
            if other != name:
                now[other] = tuple(key for key in now[other] if key not in given)
        now[name] = given
        self._store(now)

    def reset(self, name: str) -> None:
        """Give a command its default keys, and take them from whichever command has them."""
        self.assign(name, self.commands[name].default)

    def reset_all(self) -> None:
        """Give every command its default keys."""
        self._store({one.name: _portable(one.default) for one in self.commands.values()})

    def _store(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        defaults = {one.name: _portable(one.default) for one in self.commands.values()}
        own = {name: list(keys[name]) for name, default in defaults.items() if keys[name] != default}
        self._settings.change(shortcuts=own)

    def _on_settings(self) -> None:
        if self.commands and self._settings.now.shortcuts != self._stored:
            self._stored = self._settings.now.shortcuts
            self._keys, _ = self._effective(self._stored)
            self.changed.emit()

    # -- reading

    def _refusal(self, command: Bound, key: str) -> str:
        sequence = QKeySequence(portable(key))
        pressed: Any = sequence[0] if sequence.count() == 1 else None  # type: ignore[index]  # missing in the stubs
        if pressed is None or pressed.key() in ALWAYS_TAKEN:
            return f"{key or 'An empty text'} is not a key that a command can have."
        title = self._menu_keys.get(portable(key))
        if title:
            return f"{key} opens the menu {title}."
        if pressed.key() in EDITING and not pressed.keyboardModifiers() & HELD and not command.in_viewport:
            return f"{key} is needed in lists and texts; add Ctrl or Alt."
        return ""

    def _effective(self, own: Mapping[str, Any]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """The keys of every command, and why entries of `own` are ignored."""
        defaults = {one.name: _portable(one.default) for one in self.commands.values()}
        problems = [f"There is no command “{name}”." for name in own if name not in self.commands]
        used: dict[str, tuple[str, ...]] = {}
        for name, command in self.commands.items():
            if name not in own:
                continue
            reason = self._why_unusable(command, own[name])
            if reason:
                problems.append(f"{command.text}: {reason}")
            else:
                used[name] = _portable(own[name])
        while True:  # an entry that is given up may need a key that another entry took
            now = defaults | used
            clash = _first_clash(now, used)
            if clash is None:
                return now, problems
            given_up, other, key = clash
            del used[given_up]
            problems.append(f"{self.commands[given_up].text}: {key} is the key of {self.commands[other].text}.")

    def _why_unusable(self, command: Bound, keys: Any) -> str:
        if not isinstance(keys, (list, tuple)) or not all(isinstance(key, str) for key in keys):
            return "its keys are not a list of texts."
        refused = (self._refusal(command, key) for key in keys if portable(key) not in _portable(command.default))
        return next((reason for reason in refused if reason), "")


def portable(key: str) -> str:
    """A key as QKeySequence writes it for files; "" for what is not a key."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def _portable(keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(portable(key) for key in keys))


def _first_clash(now: Mapping[str, tuple[str, ...]], own: Mapping[str, tuple[str, ...]]) -> tuple[str, str, str] | None:
    """An own entry to give up, the command that has its key, and the key; the last entry of two own ones."""
    holder: dict[str, str] = {}
    for name in [*(name for name in now if name not in own), *own]:
        for key in now[name]:
            if key in holder:
                return name, holder[key], key
            holder[key] = name
    return None
