"""Nothing moves: the task is put as a sentence with a gap, and the word for the gap is the answer (Schick & Schütze 2021).

The template and the label words belong to the task. Here are the two things that make such answers better without learning: examples in
front of the question (Brown et al. 2020), and calibration, which takes away what the model would say without any text (Zhao et al. 2021).
"""

from dataclasses import dataclass

from models.errors import Problem
from models.model import Model
from models.tuning import Method, Prepared
from models.tuning.task import Task
from models.tuning.tuned import Tuned
from models.tuning.twin import twin

MOST = 16  # examples in front of a question


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`shots`: training examples in front of each question, the labels in turn, as many as fit."""

    shots: int = 0
    calibrate: bool = True


def prepare(model: Model, settings: Settings, task: Task, seed: int) -> Prepared:
    if not 0 <= settings.shots <= MOST:
        raise Problem("bad_shots", shots=settings.shots, most=MOST)
    if task.kind != "classify":
        raise Problem("cloze_classifies")
    network = Tuned(twin(model.network))
    return Prepared(network=network, trainable={}, settings=settings, shots=settings.shots, calibrate=settings.calibrate)


METHOD = Method(name="cloze", settings=Settings, rate=0.0, prepare=prepare, fits=frozenset({"encoder", "decoder"}), order=1)
