"""Full fine-tuning: everything moves (Howard & Ruder 2018, Devlin et al. 2019)."""

from dataclasses import dataclass

from models.model import Model
from models.tuning import Method, Prepared
from models.tuning.task import Task
from models.tuning.tuned import Tuned
from models.tuning.twin import moving, twin


@dataclass(frozen=True, kw_only=True)
class Settings:
    """There is nothing to choose."""


def prepare(model: Model, settings: Settings, task: Task, seed: int) -> Prepared:
    network = Tuned(twin(model.network, train=[name for name, _ in model.network.named_parameters()]))
    return Prepared(network=network, trainable=moving(network), settings=settings)


METHOD = Method(name="full", settings=Settings, rate=1e-4, prepare=prepare, order=6, moves=("attention", "feedforward", "rest"))
