"""The desk at which the pictures of a folder are labelled: one press counts for one picture.

A press belongs to the picture that was on the screen when it was pressed. It knows no screen; every
time is passed in, in seconds, from `time.monotonic()`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from collector.capture.key_repeat import KeyRepeat, Press
from maskage.capture.observation import Observation, whole_picture
from maskage.capture.photographer import Feedback, Photographer, Tone
from maskage.capture.shutter import inspect_shot
from maskage.capture.writer import Edited, How, NotDone, PhotoWriter, PictureSetAside, Report
from maskage.formats.set_aside_file import PassedOver, SetAside
from maskage.outside_text import shown_text
from maskage.records import Photo

_LABELLED = "labelled"
_KNOWN = "in the dataset already"
_NO_PICTURE = "not counted: the next picture is not on the screen yet"


class PictureDesk:
    """The picture of a folder that is to be labelled now, and what became of those before it.

    Args:
        photographer: Takes the photos, where the gate lets it.
        writer: Remembers what was skipped or rejected.
        ways: What to press for a picture that the gate refuses, in words.
        is_whole: True to label all of each picture, not a face in it.
        find_content: Returns the photo that the dataset has of a file of this digest.
        title: Returns the name of a class for people.

    Attributes:
        picture: The picture to be labelled, or None while the next is awaited.
        uncounted: Number of presses that belonged to no open picture.
    """

    def __init__(
        self,
        photographer: Photographer,
        writer: PhotoWriter,
        ways: str,
        *,
        is_whole: bool = False,
        find_content: Callable[[str], Photo | None] = lambda digest: None,
        title: Callable[[str], str] = str,
    ) -> None:
        self._photographer, self._writer, self._ways = photographer, writer, ways
        self._is_whole = is_whole
        self._find_content, self._title = find_content, title
        self._contents: dict[str, tuple[int, str]] = {}
        self._copies: dict[int, tuple[int, str]] = {}
        self._repeat = KeyRepeat()
        self._as_found: Observation | None = None
        self._dealt: dict[int, str] = {}
        self._before: Counter[str] = Counter()
        self._last: int | None = None
        self.picture: Observation | None = None
        self.uncounted = 0

    @property
    def counts(self) -> Counter[str]:
        """Number of pictures by what became of them: "labelled", "skipped", "rejected"."""
        return self._before + Counter(self._dealt.values())

    @property
    def dealt(self) -> int:
        """Number of pictures of the present folder that were dealt with."""
        return len(self._dealt)

    @property
    def is_whole(self) -> bool:
        """True where all of the present picture is the photo."""
        return self.picture is not None and self.picture is not self._as_found

    def describe_counts(self) -> str:
        """Return "3 labelled, 1 skipped"; empty where nothing was done yet."""
        order = (_LABELLED, *PassedOver, _KNOWN)
        return ", ".join(f"{n:,} {word}" for word in order if (n := self.counts[word]))

    def lay(self, found: Observation) -> bool:
        """Lay the next picture on the desk; return False for one that was dealt with before.

        So is one whose very file the dataset has a photo of, or that was labelled here under
        another name: one picture never gets two labels.
        """
        if found.frame.index in self._dealt or self._is_known(found):
            return False
        self._as_found = found
        self._put(whole_picture(found) if self._is_whole else found)
        return True

    @property
    def copies(self) -> list[str]:
        """A sentence for each picture that is the same file as one that was labelled here."""
        return [text for _, text in self._copies.values()]

    def _is_known(self, found: Observation) -> bool:
        """Return whether there is a photo of the very file already, and note that."""
        if found.digest is None:
            return False
        index = found.frame.index
        first, text = self._contents.get(found.digest, (index, ""))
        if first != index and self._dealt.get(first) == _LABELLED:
            name = shown_text(Path(found.source).name)
            self._copies[index] = first, f"{name}: the same picture as {text}"
        elif self._find_content(found.digest) is None:
            return False
        self._dealt[index] = _KNOWN
        return True

    def clear(self) -> None:
        """Take the picture off the desk: another is awaited."""
        self.picture = self._as_found = None

    def forget(self) -> None:
        """Forget which pictures were dealt with: another source is open.

        The same folder, opened again, shows skipped pictures once more.
        """
        self._before += Counter(w for w in self._dealt.values() if w != PassedOver.SKIPPED)
        self._dealt.clear()
        self._contents.clear()
        self.clear()

    def press(self, label: str, key: str, pressed_s: float, shown_s: float | None) -> Feedback:
        """Label the picture that was on the screen when a key was pressed.

        Args:
            label: The class.
            key: Name of the key.
            pressed_s: Moment of the press.
            shown_s: Moment at which the present picture was drawn; None where it was not yet.
        """
        if (objection := self._objection(key, pressed_s, shown_s)) is not None:
            return objection
        assert self.picture is not None
        index, name = self.picture.frame.index, Path(self.picture.source).name
        digest = self.picture.digest
        answer, step = self._photographer.take_picture(label, pressed_s)
        if not answer.is_taken:
            return self._name_ways(answer)
        self._dealt[index] = _LABELLED
        if digest is not None:
            self._contents[digest] = index, f"{shown_text(name)}, which is {self._title(label)}"
        self._last = step
        self.clear()
        return answer

    def pass_over(
        self, how: PassedOver, key: str, pressed_s: float, shown_s: float | None
    ) -> Feedback:
        """Skip or reject the picture that was on the screen when a key was pressed.

        Args:
            how: The way.
            key: Name of the key.
            pressed_s: Moment of the press.
            shown_s: See `press`.
        """
        if (objection := self._objection(key, pressed_s, shown_s)) is not None:
            return objection
        assert self.picture is not None
        index, path = self.picture.frame.index, Path(self.picture.source)
        step = self._photographer.next_step()
        if not self._writer.set_aside(SetAside(path, how), index, step):
            return Feedback("refused: the disk does not keep up", Tone.BAD)
        self._dealt[index] = how
        self._last = step
        self.clear()
        return Feedback(f"{how}: {shown_text(path.name)}", is_taken=True)

    def turn_whole(self) -> Feedback:
        """Take all of the present picture as the photo, or the face in it again."""
        if self._as_found is None:
            return Feedback(_NO_PICTURE, Tone.CARE)
        self._put(self._as_found if self.is_whole else whole_picture(self._as_found))
        return Feedback("all of this picture" if self.is_whole else "the face in this picture")

    def advise(self, advice: Feedback, now_s: float) -> Feedback:
        """Return the advice of the photographer, with the way on where the gate would refuse."""
        if self.picture is None or self._photographer.closed:
            return advice
        findings = inspect_shot(self.picture, now_s, self._photographer.limits)
        if findings.refusals(self._photographer.gate):
            return self._name_ways(advice)
        if self.is_whole and not findings.all:
            return Feedback("ready: all of the picture", Tone.GOOD)
        return advice

    def hear(self, report: Report) -> int | None:
        """Note what became of a picture; return the one to go back to, counted from 0, or None."""
        if isinstance(report, NotDone):
            return self._reopen([] if report.picture is None else [report.picture])
        if isinstance(report, PictureSetAside):
            indexes, word = [report.index], report.picture.how.value
        else:
            indexes, word = _pictures_of(report), _LABELLED
        if report.how is How.UNDONE:
            return self._reopen(indexes)
        self._dealt |= dict.fromkeys(indexes, word)
        if report.how is How.REDONE and indexes:
            self.clear()
            return max(indexes) + 1
        return None

    def _objection(self, key: str, pressed_s: float, shown_s: float | None) -> Feedback | None:
        """Return why a press counts for no picture; None where it does."""
        press = self._repeat.note(key, pressed_s)
        if press is not Press.FRESH:
            return self._stop_repeat(press)
        self._last = None
        if self._photographer.closed:
            return Feedback(f"refused: {self._photographer.closed}", Tone.BAD)
        if self.picture is None or shown_s is None or pressed_s < shown_s:
            self.uncounted += 1
            return Feedback(_NO_PICTURE, Tone.CARE)
        return None

    def _stop_repeat(self, press: Press) -> Feedback:
        """Take the label back that the first repeat of a held key gave."""
        if press is Press.HELD_BEFORE and self._last is not None:
            self._writer.undo_step(self._last)
        self._last = None
        return Feedback("the key is held: it counts for one picture; let go to go on", Tone.CARE)

    def _reopen(self, indexes: list[int]) -> int | None:
        copies = [copy for copy, (first, _) in self._copies.items() if first in indexes]
        for index in (*indexes, *copies):
            self._dealt.pop(index, None)
        for copy in copies:
            del self._copies[copy]
        if indexes:
            self.clear()
        return min(indexes, default=None)

    def _put(self, picture: Observation) -> None:
        self.picture = self._photographer.observation = picture

    def _name_ways(self, answer: Feedback) -> Feedback:
        if self.picture is None or self._photographer.closed:
            return answer
        return replace(answer, text=f"{answer.text}. {self._ways}")


def _pictures_of(report: Edited) -> list[int]:
    return [taken.picture for taken in report.taken.values() if taken.picture is not None]
