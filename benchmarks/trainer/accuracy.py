"""Measure the accuracy on photos of people, and from sources, that were not trained on.

    python benchmarks/trainer/accuracy.py FACES [--metadata CSV] [--folds 5 | --by-source
        | --misworn MISWORN [--misworn-folds]] [--seeds N] [--only FOLD ...]
        [--paint-masks SHARE] [--curate OPTIONS] [--frozen] [--work FOLDER] [--beside FOLDER]
        [--page PAGE.md --title TITLE] [--sheet FILE.jpg] [-- TRAINER OPTIONS]

FACES is a folder of the four classes; the CSV's columns `path`, `group`, `source`, `age_known` and
`mask_worn` give the group of a photo, its source, the age of its person and how a mask is worn.
Groups and near-duplicates are found as `curate` finds them, and lie in one fold. Each fold is
imported, curated and trained by the commands themselves, and every photo is predicted once for each
seed, by the bundle of the fold that held it out; validation is a part of the other folds.

- Without more: folds by group.
- --by-source holds out a whole source of photos at a time. Its means count each source alike, and
  leave out those of few photos, which are held out together as "other".
- --misworn MISWORN measures on a folder of misworn masks with a labels.csv of `path`, `group` and
  `kind`: `curate FACES` and `trainer fit` train, and all of them are predicted, but those that look
  like a photo of FACES. With --misworn-folds the misworn photos are also held out and trained on
  by turns, in folds together with FACES.

With --work nothing that is done is done again, so a long run can be interrupted and continued:
about four minutes a training on two quiet cores, of which there are folds times seeds. --beside
compares photo by photo with the kept folder of another measurement: another recipe (TRAINER
OPTIONS, --curate), or another revision of the programs. --page writes the figures into a page of
Markdown, and --sheet the worst misworn photos onto a picture. It prints one JSON object.
"""

import argparse
import hashlib
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import Goal, finish
from benchmarks.common.goals import ACCURACY, BY_SOURCE, MISWORN
from benchmarks.trainer.unseen import misworn
from benchmarks.trainer.unseen.beside import compare
from benchmarks.trainer.unseen.cases import Case, list_cases
from benchmarks.trainer.unseen.folds import Fold, folds_by_group, folds_by_source
from benchmarks.trainer.unseen.layout import add_painting
from benchmarks.trainer.unseen.page import write_section
from benchmarks.trainer.unseen.scores import describe_trainings, pair_answers, summarise
from benchmarks.trainer.unseen.sheets import write_sheet
from benchmarks.trainer.unseen.trainings import (
    SEEDS,
    Answered,
    WorkFolder,
    report_progress,
    require_same_question,
)
from maskage.errors import DatasetError

INTERRUPTED = 130
Task = tuple[str, Callable[[], Answered]]
"""A name for people, and the training that gives the answers."""
Parts = Mapping[str, tuple[Sequence[Case], Sequence[Answered]]]
"""Photos and the answers to them, by the name of the part."""


@dataclass(frozen=True)
class Question:
    """What is measured.

    Attributes:
        asked: The command line.
        fit: Options of `trainer fit`.
        cases: All photos.
        folds: The folds that are to be trained.
        work: Folder of the trainings.
    """

    asked: argparse.Namespace
    fit: tuple[str, ...]
    cases: list[Case]
    folds: list[Fold]
    work: WorkFolder

    @property
    def kind(self) -> str:
        """Name of the way photos are held out."""
        if self.asked.misworn:
            return "misworn"
        return "sources" if self.asked.by_source else "groups"

    @property
    def is_whole(self) -> bool:
        """True if the goals can be asked for: nothing was left out."""
        return not (self.asked.frozen or self.asked.only)

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The goals of this kind of measurement."""
        return {"groups": ACCURACY, "sources": BY_SOURCE, "misworn": MISWORN}[self.kind]

    @property
    def command(self) -> str:
        """The command that repeats the measurement, whatever the folders are called here."""
        words = ["python", "benchmarks/trainer/accuracy.py", "FACES"]
        words += ["--metadata", "FACES/labels.csv"] if self.asked.metadata else []
        words += ["--misworn", "MISWORN"] if self.asked.misworn else []
        words += ["--misworn-folds"] if self.asked.misworn_folds else []
        words += ["--by-source"] if self.asked.by_source else []
        words += ["--folds", str(self.asked.folds)] if self.asked.folds != 5 else []
        words += ["--seeds", str(self.asked.seeds)] if self.asked.seeds != 1 else []
        words += ["--only", *self.asked.only] if self.asked.only else []
        words += ["--curate", shlex.join(self.work.curate)] if self.work.curate else []
        words += ["--beside", "WORK"] if self.asked.beside else []
        return shlex.join(words + (["--", *self.fit] if self.fit else []))


def main() -> int:
    """Train what is missing, predict, print, and return the exit code."""
    parser = make_parser()
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    asked = parser.parse_args(words[:cut])
    check(parser, asked)
    with tempfile.TemporaryDirectory() as temporary:
        work = (asked.work or Path(temporary)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        try:
            return measure(read_question(parser, asked, tuple(words[cut + 1 :]), work))
        except DatasetError as fault:
            print(fault, file=sys.stderr)
            return fault.exit_code
        except KeyboardInterrupt:
            print("Stopped. With --work, the same command goes on.", file=sys.stderr)
            return INTERRUPTED


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--metadata", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--by-source", action="store_true", help="hold out one source at a time")
    parser.add_argument("--misworn", type=Path, help="folder of misworn masks to predict")
    parser.add_argument("--misworn-folds", action="store_true", help="train on others of them, too")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings of each fold")
    parser.add_argument("--frozen", action="store_true", help="the head alone, no fine-tuning")
    add_painting(parser)
    parser.add_argument("--curate", default="", metavar="OPTIONS", help="options of `curate`")
    parser.add_argument(
        "--work", type=Path, help="folder that is kept; trainings done there are not repeated"
    )
    parser.add_argument("--only", nargs="+", metavar="FOLD", help="names of folds, for a trial")
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="--work to compare with")
    parser.add_argument("--page", type=Path, help="Markdown page that gets the figures")
    parser.add_argument("--title", help="of the section of the page")
    parser.add_argument("--sheet", type=Path, help="JPEG of the worst misworn photos")
    return parser


def check(parser: argparse.ArgumentParser, asked: argparse.Namespace) -> None:
    """Refuse what does not fit together, before anything is trained."""
    if asked.folds < 3:
        parser.error("--folds must be at least 3: one is held out, the others train and validate")
    if not 1 <= asked.seeds <= len(SEEDS):
        parser.error(f"--seeds must be 1 to {len(SEEDS)}")
    if asked.by_source and asked.misworn:
        parser.error("--by-source and --misworn are two measurements. Ask for one of them.")
    if (asked.misworn_folds or asked.sheet) and not asked.misworn:
        parser.error("--misworn-folds and --sheet need the folder of --misworn")
    if asked.only and asked.misworn and not asked.misworn_folds:
        parser.error("--only names folds, and --misworn has none without --misworn-folds")
    if asked.page and not (asked.title and asked.page.is_file()):
        parser.error("--page needs a page that exists, and a --title for the section")
    if asked.beside and not (asked.beside / "asked.json").is_file():
        parser.error(f"--beside: {asked.beside} is no --work folder of a measurement")
    if asked.beside and asked.work and asked.beside.resolve() == asked.work.resolve():
        parser.error("--beside is the folder of --work itself. Name that of another measurement.")


def read_question(
    parser: argparse.ArgumentParser, asked: argparse.Namespace, fit: tuple[str, ...], work: Path
) -> Question:
    """Find the photos and folds, and check that the folder is of the same question."""
    cases = list_cases(
        asked.faces.resolve(), asked.metadata, asked.misworn and asked.misworn.resolve()
    )
    fit += ("--fine-tune-epochs", "0") * asked.frozen
    painted = () if asked.paint_masks is None else ("--paint-masks", str(asked.paint_masks))
    curate = (*painted, *shlex.split(asked.curate))
    folds = choose_folds(parser, asked, cases)
    question = Question(asked, fit, cases, folds, WorkFolder(work, curate, fit))
    require_same_question(
        work,
        {
            "held_out": question.kind,
            "folds": asked.folds,
            "curate": list(curate),
            "fit": list(fit),
            "photos": digest_cases(cases),
        },
    )
    return question


def choose_folds(
    parser: argparse.ArgumentParser, asked: argparse.Namespace, cases: list[Case]
) -> list[Fold]:
    """Return the folds that were asked for."""
    if asked.misworn and not asked.misworn_folds:
        return []
    folds = folds_by_source(cases) if asked.by_source else folds_by_group(cases, asked.folds)
    if len(folds) < 2:
        parser.error("--by-source needs a CSV with at least two sources (--metadata)")
    if not asked.only:
        return folds
    names = [fold.name for fold in folds]
    if not set(asked.only) <= set(names):
        parser.error(f"--only takes names of folds: {', '.join(names)}")
    return [fold for fold in folds if fold.name in asked.only]


def digest_cases(cases: Sequence[Case]) -> str:
    """Return a digest of the photos with their labels, groups, sources and states."""
    rows = [f"{c.key} {c.photo.label} {c.group} {c.source} {c.state}" for c in cases]
    return hashlib.sha256("\n".join(rows).encode(errors="surrogateescape")).hexdigest()[:16]


def measure(question: Question) -> int:
    """Train, score, compare, write the page, print, and return the exit code."""
    figures = (measure_misworn if question.asked.misworn else measure_folds)(question)
    result = {
        "command": question.command,
        "is_whole": question.is_whole,
        "curate": list(question.work.curate),
        "options": list(question.fit),
        **figures,
    }
    if question.asked.page:
        write_section(question.asked.page, question.asked.title, result, question.goals)
    return finish(result, question.goals if question.is_whole else ())


def measure_folds(question: Question) -> dict[str, Any]:
    """Measure on folds by group, or on one source left out at a time."""
    is_by_source = question.kind == "sources"
    answered = run_tasks(make_fold_tasks(question, question.cases))
    figures = summarise(question.cases, answered, is_by_source=is_by_source)
    figures["trainings"] = describe_trainings(answered)
    if question.asked.beside:
        figures["beside"] = put_beside(question, {"": (question.cases, answered)})[""]
    return figures


def measure_misworn(question: Question) -> dict[str, Any]:
    """Measure on misworn masks: trained on the faces alone, and on other misworn ones as well."""
    faces, work = question.asked.faces.resolve(), question.work
    make_set = partial(misworn.make_plain_set, work, faces)
    unseen = misworn.list_unseen(question.cases, work.prepare(misworn.PLAIN, make_set))
    tasks: list[Task] = [
        (
            f"{misworn.PLAIN}, seed {seed}",
            partial(work.answer, misworn.PLAIN, seed, make_set, unseen),
        )
        for seed in SEEDS[: question.asked.seeds]
    ]
    alone = run_tasks(tasks, question.asked.seeds * len(question.folds))
    cases = misworn.give_ages(question.cases, alone[0])
    turns = run_tasks(make_fold_tasks(question, cases))
    known_alone = misworn.summarise_misworn(pair_answers(cases, alone))
    turned = misworn.summarise_misworn(pair_answers(cases, turns)) if turns else {}
    figures: dict[str, Any] = {
        "held_out": "misworn masks",
        "tied_to_faces": misworn.count_tied(cases),
        "alone": known_alone,
        **({"in_training": turned} if turned else {}),
        "trainings": describe_trainings([*alone, *turns]),
    }
    if question.asked.beside:
        strange = [case for case in cases if case.is_misworn_photo]
        ours = [case for case in cases if not case.is_misworn_photo]
        parts: Parts = {
            "alone": (strange, alone),
            "in_training": (strange, turns),
            "faces": (ours, turns),
        }
        figures["beside"] = put_beside(question, parts)
    if question.asked.sheet:
        draw_sheet(question, (turned or known_alone)["worst"])
    return figures


def make_fold_tasks(question: Question, cases: Sequence[Case]) -> list[Task]:
    """Return the trainings of the folds, all folds of the first seed first."""
    return [
        (
            f"{fold.name}, seed {seed}",
            partial(misworn.answer_fold, question.work, cases, fold, seed),
        )
        for seed in SEEDS[: question.asked.seeds]
        for fold in question.folds
    ]


def run_tasks(tasks: Sequence[Task], more: int = 0) -> list[Answered]:
    """Run trainings one after the other, and report how long the rest takes.

    Args:
        tasks: The trainings.
        more: Number of trainings that come after these.
    """
    done: list[Answered] = []
    began_s = time.monotonic()
    for name, run in tasks:
        report_progress(done, len(tasks) + more, name, began_s)
        done.append(run())
    return done


def put_beside(question: Question, parts: Parts) -> dict[str, Any]:
    """Compare the parts of this measurement with another work folder.

    Raises:
        DatasetError: The other folder has answers to none of these photos.
    """
    other = question.asked.beside.resolve()
    found = {
        name: compare(
            cases, ours, question.work.path, other, is_by_source=question.kind == "sources"
        )
        for name, (cases, ours) in parts.items()
        if ours
    }
    if not any(found.values()):
        raise DatasetError(
            f"{other} has no answers to these photos in folds of these names. Name the --work of a "
            f"measurement that is held out in the same way."
        )
    return found


def draw_sheet(question: Question, worst: Sequence[dict[str, Any]]) -> None:
    """Write the worst misworn photos onto a picture, if there are any."""
    files = {case.key: case.file for case in question.cases}
    photos = [
        (files[each["path"]], f"{each['kind']} {each['worn']:.2f} {files[each['path']].stem}")
        for each in worst
    ]
    if photos:
        write_sheet(question.asked.sheet, photos)
    else:
        print("No misworn mask was taken for a worn one: no sheet is written.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
