"""A kept result as the teacher of another run: what it says of the examples and of variants of them is learnt (knowledge distillation)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from models.catalogue import Catalogue
from models.model import Model
from models.tuning.distil import taught
from models.tuning.results import load_outcome
from models.tuning.task import Examples
from models.tuning.variants import variants
from playground.service.jobs import Job
from playground.service.kept import Shelf
from playground.service.runs import Plan, Stage

FILLS = "fill_mask"  # the ability to fill gaps


class Teaching:
    """Asks the teachers of plans. `lend(name)` lends models."""

    def __init__(self, shelf: Shelf, catalogue: Catalogue, lend: Callable[[str], AbstractContextManager[Model]]):
        self._shelf, self._catalogue, self._lend = shelf, catalogue, lend

    def lesson(self, job: Job, plan: Plan, examples: Examples, pupil: Model) -> Examples:
        """The examples with what the plan's teacher says of them, and of their variants. `pupil` is the model that is to learn.

        Problem: unknown_result, teacher_does_not_fit, those of loading a model; Stopped where the run is stopped meanwhile.
        """
        kept = self._shelf.get(plan.teacher)
        more = self.more(job, plan, examples, pupil) if plan.variants else []
        job.put(Stage("ask_teacher"))
        with self._lend(kept.base) as base:
            return taught(examples, load_outcome(self._shelf.place(kept), base), more=more, pause=partial(paused, job))

    def more(self, job: Job, plan: Plan, examples: Examples, pupil: Model) -> list[str]:
        """Variants of the examples, so many of each with replaced words, and half as many parts of it.

        The pupil replaces words, or the model that the page fills gaps with at first, whichever does and speaks the language; else nobody.
        """
        job.put(Stage("variants"))
        texts, language = [example.text for example in examples.train], examples.task.language
        asked = {"parts": -(-plan.variants // 2), "seed": plan.seed, "pause": partial(paused, job)}
        usual = self._catalogue.default(FILLS)
        if "mlm" in pupil.network.heads and (pupil.card is None or language in (pupil.card.languages or (language,))):
            return variants(pupil, texts, replaced=plan.variants, **asked)
        if usual is None or language not in usual.languages:
            return variants(None, texts, replaced=0, **asked)
        with self._lend(usual.name) as writer:
            return variants(writer, texts, replaced=plan.variants, **asked)


def paused(job: Job, done: int, everything: int) -> None:
    """Let whoever holds or stops the run have their way."""
    job.pause()
