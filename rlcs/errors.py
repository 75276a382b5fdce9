"""Every error a user can cause or meet, in one tree.

RlcsError
├── ConfigError      (ValueError)    a key or value of the configuration is wrong
├── DatasetError     (ValueError)    rows that cannot be trained on
├── ModelError       (ValueError)    a model folder that cannot be used
├── RunFolderError   (OSError)       a run folder that is in the way, missing or incomplete
│   └── ResumeError                  a run that cannot be continued as asked
├── StorageError     (OSError)       a disk that is full, read-only or gone
├── EngineError      (RuntimeError)  a rollout engine that cannot serve
│   ├── LostProcessError             a process that died or stopped answering
│   └── StoreFullError               a node that has no room for what passes between processes
├── LearningError    (RuntimeError)  an update that must not be applied
├── UntrustedCodeError               code that a folder names and nobody has allowed
└── PackageMissingError (ImportError) an optional package that the configuration needs

A message says what was expected, what was found and what to do. The command line prints
it without a traceback and exits with 2. Anything outside the tree is a bug of ours.
"""

from __future__ import annotations


class RlcsError(Exception):
    """Base of everything in this module; catch it to handle any expected failure."""


class ConfigError(RlcsError, ValueError):
    """A key or value of the configuration is wrong."""


class DatasetError(RlcsError, ValueError):
    """Rows that cannot be trained on; the message names each by file and line."""


class ModelError(RlcsError, ValueError):
    """A model folder that cannot be used."""


class RunFolderError(RlcsError, OSError):
    """A run folder that is in the way, missing or incomplete."""


class ResumeError(RunFolderError):
    """A run that cannot be continued as asked."""


class StorageError(RlcsError, OSError):
    """Something could not be written: the disk is full, read-only or gone.

    What was written before is whole. :func:`rlcs.files.writing` makes these errors.
    """

    reason: str = ""
    """Why, in the words of the operating system where it told."""
    code: int | None = None
    """Its number for it (``errno.ENOSPC`` …), None where the package that wrote did not hand it on.

    Not ``errno``, which is lost when an error passes between processes.
    """

    def advising(self, advice: str) -> StorageError:
        """The same error, with what to do about it in this case."""
        error = StorageError(f"{self} {advice}")
        error.reason, error.code = self.reason, self.code
        return error


class EngineError(RlcsError, RuntimeError):
    """A rollout engine that cannot serve what was asked."""


class LostProcessError(EngineError):
    """A process of the run died or stopped answering; the run can go on from a checkpoint."""


class StoreFullError(EngineError):
    """A node's object store, and the disk it falls back to, are full."""


class LearningError(RlcsError, RuntimeError):
    """An update that must not be applied: zero or non-finite loss, lost rank."""


class UntrustedCodeError(RlcsError):
    """Code that a run or model folder names, which nobody has allowed to run here."""


class PackageMissingError(RlcsError, ImportError):
    """An optional package that the configuration needs is not installed."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message that is not empty, or how Python shows the error."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))


def sentence(error: BaseException | str) -> str:
    """An error's message with exactly one full stop at its end."""
    return f"{str(error).rstrip('.')}."
