"""Results in the format of the library PEFT: adapter_config.json and adapter_model.safetensors.

The library itself is not needed here.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file

from models.errors import Problem
from models.model import Model
from models.tuning import Method, Prepared, methods
from models.tuning.peft_names import TASKS
from models.tuning.results import Outcome
from models.tuning.task import Task

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The files that were written. `problem` says why PEFT's are not among them, or what PEFT will not know; None: it is all there."""

    files: tuple[str, ...]
    size: int  # bytes
    problem: Problem | None = None


def export(outcome: Outcome, folder: Path) -> Exported:
    """Write a result twice where PEFT has a format for it, once in PEFT's and once in ours; else in ours alone, and say so."""
    outcome.save(folder)
    problem = None
    try:
        write_adapter(outcome, folder)
        if outcome.reading.trainable:
            problem = Problem("not_for_peft", reason="the linear head that reads the answer")
    except Problem as refusal:
        if refusal.key != "not_for_peft":
            raise
        problem = refusal
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return Exported(files=tuple(path.name for path in files), size=sum(path.stat().st_size for path in files), problem=problem)


def write_adapter(outcome: Outcome, folder: Path) -> None:
    """PEFT's two files. Problem "not_for_peft" where it has no format for this."""
    method = methods()[outcome.method]
    if method.peft is None:
        raise Problem("not_for_peft", reason=f"the method {method.name}")
    settings, numbers = method.peft.write(outcome.model, outcome.prepared)
    told = {
        "peft_type": method.peft.kind,
        "task_type": TASKS[outcome.model.config.architecture],
        "base_model_name_or_path": outcome.base.name,
        "inference_mode": True,
        **settings,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.cpu().contiguous().clone() for name, value in numbers.items()}, folder / WEIGHTS, {"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load_adapter(folder: Path, model: Model, task: Task) -> tuple[Method, Prepared]:
    """What PEFT saved, as ours. Problem "foreign_adapter" where it is of a kind that is not known here, or for another model."""
    settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    for method in methods().values():
        if method.peft is not None and method.peft.kind == settings.get("peft_type"):
            return method, method.peft.read(model, settings, load_file(folder / WEIGHTS), task)
    raise Problem("foreign_adapter", reason=f"its kind is {settings.get('peft_type')!r}")
