"""The `collector` program: the table of its commands."""

import sys

from collector.commands.classes import CLASSES
from collector.commands.edit import EDIT
from collector.commands.import_photos import IMPORT
from collector.commands.init import INIT
from collector.commands.overview import CAMERAS, STATUS
from collector.commands.screens import CAPTURE, REVIEW
from collector.commands.trash import TRASH
from maskage.commands.program import Program
from maskage.dataset.doctor.command import DOCTOR
from maskage.dataset.privacy.command import CONSENT, FORGET

PROGRAM = Program(
    "collector",
    "Photograph and label faces in a terminal, and look after the dataset.",
    (CAPTURE, REVIEW, INIT, CLASSES, IMPORT, EDIT, TRASH, STATUS, DOCTOR, CONSENT, FORGET, CAMERAS),
    default=CAPTURE,
)

main = PROGRAM.main

if __name__ == "__main__":
    sys.exit(main())
