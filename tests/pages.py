"""A page of ours, read as a browser reads it, and what every page must hold to."""

import re
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "img", "path", "circle", "polyline", "br", "link", "source"}

HOSTILE = "\"><script>alert('x')</script>\u202e\x1b[31m&amp;"
"""A name that would end an attribute, begin a script, turn the text or colour a terminal."""


class Page(HTMLParser):
    """A page: its addresses, names and text; it must be closed, ordered and harmless.

    Attributes:
        text: The file.
        ids: Names of its parts.
        addresses: Everything that it links to or loads.
        words: What a reader sees.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self._headings: list[int] = []
        self.feed(self.text)
        assert not self._open
        assert self._headings[0] == 1
        assert self._headings.count(1) == 1
        steps = zip(self._headings, self._headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps)
        assert len(self.ids) == len(set(self.ids))
        # A command is there to be pasted, and stands by itself, whatever turns its direction.
        shown = re.sub("<pre>.*?</pre>", "", self.text, flags=re.DOTALL)
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert len(values) == len(attrs), "an attribute twice"
        assert tag not in ("script", "iframe", "object", "form")
        assert not [name for name in values if name.startswith("on")]
        assert tag != "img" or values["alt"]
        assert values.get("role") != "img" or values["aria-label"]
        self.ids += [values["id"] or ""] if "id" in values else []
        self.addresses += [values[key] or "" for key in ("href", "src") if key in values]
        if re.fullmatch("h[1-6]", tag):
            self._headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    @property
    def outside(self) -> list[str]:
        """The addresses that are neither in the page nor a part of it."""
        return [each for each in self.addresses if not each.startswith(("#", "data:"))]

    def part(self, name: str) -> str:
        """Return the card of a name, with a space where lines are wrapped."""
        card = self.text.split(f'<section id="{name}">')[1].split("</section>")[0]
        return " ".join(card.split())
