"""What run folders say: the queries behind the dashboard and the terminal's views.

    run = only_run(Path("runs/quickstart"))
    run.reader.read(seconds=60)
    overview.headline(run)

Each view is a module whose functions take a run and return plain rows, columns or records. Files
are only ever read, also while the trainer writes them; nothing here knows of a web page.
"""

from rlcs.insight.folders import RunEntry, RunsFolder
from rlcs.insight.run import Run, Runs, only_run

__all__ = ["Run", "RunEntry", "Runs", "RunsFolder", "only_run"]
