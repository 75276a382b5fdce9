"""Which files a source's ``path`` names: one, those of a folder, or those that fit a pattern."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from rlcs.errors import DatasetError

TEXT_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
TABLE_SUFFIXES = (".parquet",)
COMPRESSED = (".gz", ".zst")
SAVED_BY_DATASETS = ("dataset_dict.json", "state.json")
"""A folder with one of these was written by ``save_to_disk``."""
SPLITS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("validation", "valid", "val", "dev"), "validation"
)
"""Words in the name of a file, or of a folder that it lies in, that say of which split it is."""
KINDS = "a file (.jsonl, .json, .csv, .tsv, .parquet, and .gz or .zst of all but the last)"


def suffix_of(path: Path) -> str:
    """The ending that says what is in a file, without that of its compression."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def is_pattern(path: str) -> bool:
    """Whether ``path`` stands for several files; a file of that very name comes first."""
    return glob.has_magic(path) and not Path(path).exists()


def saved_by_datasets(path: Path) -> bool:
    """Whether ``path`` is a folder that ``datasets`` saved."""
    return any((path / name).is_file() for name in SAVED_BY_DATASETS)


def find_files(path: str) -> list[Path]:
    """The files that ``path`` names, in the order of their names: all text or all tables.

    Raises:
        DatasetError: there is none, they are of several kinds, or those of a folder are of several
            splits.
    """
    folder = Path(path)
    if is_pattern(path):
        found = [Path(name) for name in sorted(glob.glob(path, recursive=True))]
        files = [each for each in found if each.is_file() and _is_known(each)]
    elif folder.is_dir():
        inside = sorted(each for each in folder.rglob("*") if each.is_file() and _is_known(each))
        files = [each for each in inside if not _is_hidden(each.relative_to(folder))]
        _check_splits(folder, files)
    else:
        files = [folder]
    _check(path, folder, files)
    return files


def _is_known(path: Path) -> bool:
    if suffix_of(path) in TABLE_SUFFIXES:
        return path.suffix.lower() in TABLE_SUFFIXES
    return suffix_of(path) in TEXT_SUFFIXES


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _check(path: str, folder: Path, files: list[Path]) -> None:
    if not files:
        found = "a folder without any" if folder.is_dir() else "no file that fits"
        raise DatasetError(f"{path}: expected {KINDS}, found {found} (looked in {Path.cwd()}).")
    if not files[0].exists():
        raise DatasetError(
            f"{path}: expected {KINDS}, a folder of such files or a pattern like "
            f"shards/*.parquet, found nothing there (looked in {Path.cwd()})."
        )
    if not _is_known(files[0]):
        raise DatasetError(f"{path}: expected {KINDS}, found one ending in {files[0].suffix!r}.")
    kinds = {suffix_of(each) in TABLE_SUFFIXES for each in files}
    if len(kinds) > 1:
        endings = ", ".join(sorted({suffix_of(each) for each in files}))
        raise DatasetError(
            f"{path}: expected files of one kind, found some ending in {endings}. Name one kind "
            "by a pattern, for example folder/*.parquet."
        )


def _check_splits(folder: Path, files: list[Path]) -> None:
    """Refuse to train on what is perhaps the test set."""
    splits = {split for each in files if (split := _split(each.relative_to(folder)))}
    if len(splits) > 1:
        raise DatasetError(
            f"{folder}: expected the files of one split, found those of {', '.join(sorted(splits))}"
            f". Name one by a pattern: {folder}/**/*train*, or its folder alone."
        )


def _split(path: Path) -> str | None:
    """The split that a file is of by its name, or else by its folders; None where none is named."""
    for part in reversed(path.parts):
        found = {SPLITS[word] for word in re.split(r"[^a-z0-9]+", part.lower()) if word in SPLITS}
        if len(found) == 1:
            return found.pop()
    return None
