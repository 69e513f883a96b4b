"""The collector's terminal program: opens its parts, then the screen takes over."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.theme import Theme

from collector.capture.picture_opener import PictureOpener
from collector.key_file import key_file_path, read_key_file
from collector.keys import review_commands, trash_commands
from collector.screens.capture_parts import CaptureParts
from collector.screens.capture_screen import CaptureScreen
from collector.screens.review_screen import ReviewScreen
from collector.terminal import keep_terminal, require_terminal
from collector.widgets.panels import count_photos
from maskage.cameras.sources import PictureFolder, list_webcams, open_camera
from maskage.capture.shutter import Gate
from maskage.capture.writer import PhotoWriter
from maskage.classes.scheme import Scheme
from maskage.console import say, show
from maskage.dataset.consent import SELF_SUBJECT, check_subject
from maskage.dataset.consent_rules import record_self
from maskage.dataset.doctor.files import list_trash
from maskage.dataset.near_names import find_near_name
from maskage.dataset.photo_files import list_files
from maskage.dataset.store import PhotoStore
from maskage.defaults import DEFAULT_TARGET
from maskage.errors import DatasetError, PhotoNotSavedError, UsageError
from maskage.faces.finder import open_face_finder
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.set_aside_file import PassedOver
from maskage.pictures.quality_limits import QualityLimits
from maskage.system.signals import exit_code_of, heeding

DARKROOM = Theme(
    name="darkroom",
    primary="#e8a33d",
    secondary="#c7654a",
    accent="#f2c14e",
    foreground="#ece5da",
    background="#14110f",
    surface="#1c1815",
    panel="#272019",
    success="#8fc97a",
    warning="#e8a33d",
    error="#ea6a5e",
    dark=True,
)


class DarkroomApp(App[None]):
    """The looks, keys and ways to end that both apps share.

    Attributes:
        fault: The exception that ended the app, where that was a bug.
        is_interrupted: Ctrl-C ended it.
        ended_by: The signal of a polite kill that ended it, or None.
    """

    TITLE = "collector"
    CSS_PATH = "collector.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "stop", show=False, priority=True)
    ]

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.fault: Exception | None = None
        self.is_interrupted = False
        self.ended_by: int | None = None
        self._screen_loop: asyncio.AbstractEventLoop | None = None
        self._quitting: asyncio.Task[None] | None = None
        self.register_theme(DARKROOM)
        self.theme = DARKROOM.name

    async def action_interrupt(self) -> None:
        """End the program on Ctrl-C; what was ordered is done first."""
        self.is_interrupted = True
        await self.action_quit()

    @contextmanager
    def heeding_kills(self) -> Iterator[None]:
        """Have a polite kill end the app as `q` does: what was ordered is done first."""
        with heeding(self._end_by):
            yield

    def on_mount(self) -> None:
        """Note the loop, and end at once where a signal came before it."""
        self._screen_loop = asyncio.get_running_loop()
        if self.ended_by is not None:
            self._quit_soon()

    def _end_by(self, number: int) -> None:
        """End on a signal, which may come at any point of the main thread."""
        is_first = self.ended_by is None
        self.ended_by = number
        if is_first and self._screen_loop is not None:
            # The loop may have ended by itself just now.
            with suppress(RuntimeError):
                self._screen_loop.call_soon_threadsafe(self._quit_soon)

    def _quit_soon(self) -> None:
        self._quitting = asyncio.ensure_future(self.action_quit())

    def _handle_exception(self, error: Exception) -> None:
        self.fault = self.fault or error
        super()._handle_exception(error)


class CollectorApp(DarkroomApp):
    """One capture screen over the parts it is handed."""

    def __init__(self, parts: CaptureParts, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class)
        self.capture = CaptureScreen(parts)

    def get_default_screen(self) -> Screen[None]:
        """Return the screen that the app starts with."""
        return self.capture

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer themes and our own commands; a toast or screenshot would tear the raw preview."""
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        for name, text, action in (
            ("Find class", "Shoot into a class by its name", self.capture.action_find_class),
            ("Gallery", "Review the photos and correct labels", self.capture.action_gallery),
            ("Subject", "Set who is in front of the camera", self.capture.action_subject),
            ("New session", "Start a new session", self.capture.action_session),
            ("Next camera", "Open the next camera", self.capture.action_camera),
            ("Help", "Show what every key does", self.capture.action_help),
        ):
            yield SystemCommand(name, text, action)

    async def action_quit(self) -> None:
        """Finish what was ordered, then end the program."""
        await self.capture.action_quit()


class ReviewApp(DarkroomApp):
    """The gallery alone, without a camera."""

    def __init__(
        self,
        store: PhotoStore,
        key_changes: Mapping[str, str] | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class)
        self.writer = PhotoWriter(store)
        self.review = ReviewScreen(
            store,
            self.writer,
            review_commands(store.scheme, key_changes),
            keys_of_trash=trash_commands(store.scheme, key_changes),
        )

    def get_default_screen(self) -> Screen[None]:
        """Return the screen that the app starts with."""
        return Screen()

    def on_mount(self) -> None:
        """Show the gallery, and end when it is left."""
        self.push_screen(self.review, lambda _: self.exit())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer themes and the help in the command palette."""
        yield SystemCommand("Theme", "Change the colours", self.action_change_theme)
        yield SystemCommand(
            "Find class", "Label with a class by its name", self.review.action_find_class
        )
        yield SystemCommand(
            "Edit", "Set or correct subject, session and group", self.review.action_facts
        )
        yield SystemCommand("Trash", "See the removed photos", self.review.action_see_trash)
        yield SystemCommand("Help", "Show what every key does", self.review.action_help)


def run_capture(
    root: Path,
    source: str,
    subject: str | None,
    face_model: Path | None,
    *,
    gate: str = "warn",
    target: int = DEFAULT_TARGET,
    seed: int = 0,
    is_self: bool = False,
    is_whole: bool = False,
    shown_again: Collection[PassedOver] = (),
) -> int:
    """Photograph faces into the classes of a dataset, until the person quits.

    Args:
        root: The dataset; made where it is missing.
        source: See `maskage.cameras.sources.open_camera`.
        subject: Pseudonym of the person, or None.
        face_model: A YuNet file, or None to look where `open_face_finder` looks.
        gate: "strict", "warn" or "off"; see `maskage.capture.shutter.Gate`.
        target: Photos wanted in each class that has no target of its own.
        seed: Decides which people the demo camera shows.
        is_self: The person photographs themselves; that is recorded as their consent.
        is_whole: Label all of each picture of a folder, not a face in it.
        shown_again: Pictures of a folder that are shown though they were passed over before.

    Returns:
        0 when the person quits.

    Raises:
        UsageError: The subject is no pseudonym, the key file is wrong, or one key stands for two
            commands.
        EnvironmentProblemError: No terminal, no such camera, no such face model.
        DatasetError: Not one picture of the folder can be read.
        DatasetInUseError: Another collector writes to `root`.
        KeyboardInterrupt: Ctrl-C.
    """
    require_terminal()
    strictness = _check_gate(gate)
    pseudonym = check_subject(subject) if subject is not None else None
    if is_self and pseudonym is None:
        pseudonym = SELF_SUBJECT
    scheme = read_scheme(root)
    changes = _read_keys(scheme)
    opener = partial(open_camera, seed=seed, scheme=scheme)
    camera = opener(source)
    try:
        finder = open_face_finder(face_model, QualityLimits().min_face_px)
        with PhotoStore(root) as store:
            _note_near_subject(store, pseudonym)
            pictures = PictureOpener(opener, store, shown_again)
            if isinstance(camera, PictureFolder):
                pictures.adopt(camera)
                if pictures.known.count:
                    say(f"{source}: {pictures.known.describe()}; these pictures are not shown.")
            if is_self and pseudonym is not None:
                record_self(store, pseudonym, date.today())
            return _run_app(
                CaptureParts(
                    store=store,
                    camera=camera,
                    source=source,
                    opener=pictures,
                    pictures=pictures,
                    is_whole=is_whole,
                    finder=finder,
                    list_sources=lambda: [str(index) for index in list_webcams()],
                    subject=pseudonym,
                    gate=strictness,
                    target=target,
                    key_changes=changes,
                )
            )
    finally:
        camera.close()


def _note_near_subject(store: PhotoStore, subject: str | None) -> None:
    """Say so where the person named on the command line is nearly one that is known."""
    if subject is None:
        return
    counts = Counter(photo.subject for photo in store.photos() if photo.subject)
    near = find_near_name(subject, [*counts, *store.consents()])
    if near is not None:
        say(
            f"{subject} is new here, but {near} has {count_photos(counts[near])}. If you meant "
            f"{near}, press s and choose it, or start again with --subject {near}."
        )


def run_review(root: Path) -> int:
    """Review the photos of a dataset and correct their labels, until the person quits.

    Returns:
        0 when the person quits.

    Raises:
        DatasetError: There is no dataset at `root`, or no photo in it.
        EnvironmentProblemError: No terminal.
        DatasetInUseError: Another collector writes to `root`.
        KeyboardInterrupt: Ctrl-C.
    """
    require_terminal()
    scheme = read_scheme(root)
    changes = _read_keys(scheme)
    if not list_files(root, scheme.labels) and not list_trash(root, scheme.labels):
        raise DatasetError(
            f"{root}: there is no photo in it yet. Take some with `collector {root}`, or import "
            f"some with `collector import SOURCE {root}`."
        )
    with PhotoStore(root) as store, keep_terminal() as driver_class:
        app = ReviewApp(store, changes, driver_class)
        try:
            with app.heeding_kills():
                app.run()
        finally:
            app.writer.close()
    _end(app)
    return 0


def _run_app(parts: CaptureParts) -> int:
    with keep_terminal() as driver_class:
        app = CollectorApp(parts, driver_class)
        try:
            with app.heeding_kills():
                app.run()
        finally:
            app.capture.close_parts()
    if app.fault is None:
        for line in app.capture.summarise().splitlines():
            show(line)
    _end(app)
    if app.capture.failed:
        raise PhotoNotSavedError(
            f"{app.capture.failed} shots could not be saved in {parts.store.root}; those that the "
            f"screen reported as saved are safe. The screen named the reason of each; "
            f"see to it, then shoot again."
        )
    if (unread := app.capture.unread_folder) is not None:
        raise DatasetError(f"{unread} Name a folder of pictures that can be opened.")
    return 0


def _end(app: DarkroomApp) -> None:
    """Raise what ended an app, where the person did not quit."""
    if app.fault is not None:
        raise app.fault
    if app.ended_by is not None:
        raise SystemExit(exit_code_of(app.ended_by))
    if app.is_interrupted:
        raise KeyboardInterrupt


def _check_gate(gate: str) -> Gate:
    try:
        return Gate(gate)
    except ValueError as fault:
        raise UsageError(
            f"No gate {gate!r}. A gate is one of {', '.join(Gate)}: try --gate warn."
        ) from fault


def _read_keys(scheme: Scheme) -> dict[str, str]:
    """Return the keys that the user has chosen, before anything is opened or made."""
    path = key_file_path()
    found = read_key_file(path, scheme)
    if found.unused:
        say(f"{path}: {', '.join(found.unused)}: not used, there is no such class here.")
    return found.changes
