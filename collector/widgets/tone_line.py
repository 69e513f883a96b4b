"""The line with an answer to the person; its mark and colour show its tone."""

from textual.content import Content
from textual.widgets import Static

from collector.widgets.pixel_widget import Rgb
from maskage.capture.photographer import Feedback, Tone
from maskage.outside_text import shown_text

TONE_COLORS: dict[Tone, Rgb] = {
    Tone.GOOD: (127, 200, 120),
    Tone.CARE: (240, 180, 70),
    Tone.BAD: (235, 90, 80),
    Tone.PLAIN: (200, 190, 175),
}
_MARKS = {Tone.GOOD: "●", Tone.CARE: "▲", Tone.BAD: "■", Tone.PLAIN: "·"}


class ToneLine(Static):
    """A line with one `Feedback`; its class `-good`, `-care`, `-bad` or `-plain` colours it."""

    _said: Feedback | None = None

    def say(self, answer: Feedback) -> None:
        """Show this answer, unless it is shown already."""
        if answer == self._said:
            return
        self._said = answer
        self.update(Content(f"{_MARKS[answer.tone]} {shown_text(answer.text)}"))
        for tone in Tone:
            self.set_class(tone is answer.tone, f"-{tone}")
