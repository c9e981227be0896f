"""What a training tells while it runs: a line of JSON now and then in a file, and a progress bar."""

import json
import sys
from pathlib import Path

from tqdm import tqdm

SECONDS = 1.0  # the bar moves at most so often


class Journal:
    """Writes to FOLDER/log.jsonl; with `quiet`, as in all processes but the first, it does nothing at all."""

    def __init__(self, folder: Path, *, quiet: bool = False, bar: bool = True):
        self.file = None if quiet else (folder / "log.jsonl").open("a", encoding="utf-8")
        self.bar = tqdm(
            total=1.0, disable=quiet or not bar, file=sys.stderr, bar_format="{l_bar}{bar}| {elapsed}{postfix}", mininterval=SECONDS
        )

    def note(self, **row: float | int | str) -> None:
        """One line of the log; numbers are rounded to what they are good for."""
        if self.file is not None:
            rounded = {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in row.items()}
            self.file.write(json.dumps(rounded) + "\n")
            self.file.flush()

    def show(self, progress: float, **numbers: float | int) -> None:
        """Move the bar to a share of the whole."""
        self.bar.n = min(1.0, round(progress, 4))
        self.bar.set_postfix({name: f"{value:.4g}" for name, value in numbers.items()}, refresh=False)
        self.bar.update(0)

    def close(self) -> None:
        self.bar.close()
        if self.file is not None:
            self.file.close()


def read_log(path: Path) -> list[dict[str, float | int | str]]:
    """The lines of a log."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
