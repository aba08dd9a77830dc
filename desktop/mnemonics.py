"""Chooses the letters that are pressed in an open menu, one for each item and none twice. Pure functions."""

import re
from collections.abc import Sequence
from string import ascii_lowercase, digits

APPENDED = re.compile(r" \(&\w\)$")


def with_mnemonics(texts: Sequence[str]) -> list[str]:
    """The texts with "&" before their letter, the first letter of a word where that can be.

    A letter goes to another text only if the one that had it finds another (Kuhn's augmenting paths). Where there are
    too few letters, a free one follows in brackets, as in menus of languages without Latin letters.
    """
    owner: dict[str, int] = {}
    wishes = [_letters(text) for text in texts]
    for number in range(len(texts)):
        _find(number, wishes, owner, set())
    letter = {number: one for one, number in owner.items()}
    free = (one for one in digits[1:] + ascii_lowercase if one not in owner)
    marked = []
    for number, text in enumerate(texts):
        other = "" if number in letter else next(free, "")
        marked.append(_marked(text, letter.get(number, "")) + (f" (&{other.upper()})" if other else ""))
    return marked


def plain(text: str) -> str:
    """A text without its mark."""
    return APPENDED.sub("", text).replace("&&", "\0").replace("&", "").replace("\0", "&")


def _find(number: int, wishes: Sequence[Sequence[str]], owner: dict[str, int], seen: set[str]) -> bool:
    for letter in wishes[number]:
        if letter in owner or letter in seen:
            continue
        owner[letter] = number
        return True
    for letter in wishes[number]:
        if letter not in seen:
            seen.add(letter)
            if _find(owner[letter], wishes, owner, seen):
                owner[letter] = number
                return True
    return False


def _letters(text: str) -> list[str]:
    """The letters and digits of a text, the first of each word before the others."""
    starts = [letter for letter, before in zip(text, " " + text, strict=False) if not before.isalnum()]
    return list(dict.fromkeys(one.casefold() for one in (*starts, *text) if one.isascii() and one.isalnum()))


def _marked(text: str, letter: str) -> str:
    """The text with "&" before a letter: at the start of a word if it can be."""
    places = [at for at, one in enumerate(text) if letter and one.casefold() == letter]
    best = next((at for at in places if at == 0 or not text[at - 1].isalnum()), places[0] if places else -1)
    escaped = [one.replace("&", "&&") for one in text]
    return "".join("&" + one if at == best else one for at, one in enumerate(escaped))
