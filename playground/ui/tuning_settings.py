"""The settings of a tuning that may stay as they are: for how long, how fast, and how each method is set up."""

from dataclasses import dataclass, fields

import gradio as gr

from playground.service.runs import MOST_SEEDS, MOST_SOUP, MOST_STEPS, MOST_VARIANTS, PLACES, READINGS, STARTS
from playground.ui.phrases import phrase
from playground.ui.pickers import QUIET

SHOTS = (0, 1, 2, 4)  # examples in front of a cloze question


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The fields, in the order in which `tuning_form.plan_of` takes them."""

    budget: gr.Radio
    amount: gr.Number
    length: gr.Slider
    rank: gr.Slider
    rate: gr.Number
    seed: gr.Number
    seeds: gr.Radio
    place: gr.Radio
    start: gr.Radio
    start_text: gr.Textbox
    shots: gr.Radio
    reading: gr.Radio
    head_rate: gr.Number
    soup: gr.Slider
    adversarial: gr.Slider
    teacher: gr.Dropdown
    variants: gr.Slider

    @property
    def values(self) -> list[gr.components.Component]:
        return [getattr(self, one.name) for one in fields(self)]


def settings_form() -> Settings:
    """Lay them out."""
    with gr.Accordion(phrase("tuning.settings"), open=False):
        budgets = [(phrase(f"tuning.budget_{name}"), name) for name in ("steps", "epochs", "seconds")]
        budget = gr.Radio(budgets, value="steps", label=phrase("tuning.budget"))
        amount = gr.Number(100, minimum=1, maximum=MOST_STEPS, label=phrase("tuning.amount"))
        rate = gr.Number(0, minimum=0, maximum=10, step=1e-4, label=phrase("tuning.rate"), info=phrase("tuning.rate_info"))
        seed = gr.Number(1, minimum=0, precision=0, label=phrase("tuning.seed"))
        counts = list(range(1, MOST_SEEDS + 1))
        seeds = gr.Radio(counts, value=1, label=phrase("tuning.seeds"), info=phrase("tuning.seeds_info"))
        length = gr.Slider(1, 64, 16, step=1, label=phrase("tuning.length"))
        places = [(phrase(f"tuning.place_{name}"), name) for name in PLACES]
        place = gr.Radio(places, value=PLACES[0], label=phrase("tuning.place"))
        starts = [(phrase(f"tuning.start_{name}"), name) for name in STARTS]
        start = gr.Radio(starts, value=STARTS[0], label=phrase("tuning.start_as"))
        start_text = gr.Textbox(label=phrase("tuning.start_words"), visible=False, max_length=500)
        rank = gr.Slider(1, 32, 8, step=1, label=phrase("tuning.rank"))
        shots = gr.Radio(list(SHOTS), value=SHOTS[0], label=phrase("tuning.shots"), info=phrase("tuning.shots_info"))
        readings = [(phrase(f"tuning.reading_{name}"), name) for name in READINGS]
        reading = gr.Radio(readings, value=READINGS[0], label=phrase("tuning.read_by"), info=phrase("tuning.read_by_info"))
        head_rate = gr.Number(0, minimum=0, maximum=10, step=1e-4, label=phrase("tuning.head_rate"), info=phrase("tuning.head_rate_info"))
        soup = gr.Slider(1, MOST_SOUP, 1, step=1, label=phrase("tuning.soup"), info=phrase("tuning.soup_info"))
        adversarial = gr.Slider(0, 1, 0, step=0.05, label=phrase("tuning.adversarial"), info=phrase("tuning.adversarial_info"))
        teacher = gr.Dropdown(
            [(phrase("tuning.teacher_none"), "")],
            value="",
            label=phrase("tuning.teacher"),
            info=phrase("tuning.teacher_info"),
            elem_id="tuning-teacher",
        )
        variants = gr.Slider(
            0, MOST_VARIANTS, 0, step=1, label=phrase("tuning.variants"), info=phrase("tuning.variants_info"), visible=False
        )
    teacher.change(lambda teacher: gr.update(visible=bool(teacher)), teacher, variants, **QUIET)
    start.change(lambda start: gr.update(visible=start == "text"), start, start_text, **QUIET)
    return Settings(
        budget=budget, amount=amount, length=length, rank=rank, rate=rate, seed=seed, seeds=seeds, place=place, start=start,
        start_text=start_text, shots=shots, reading=reading, head_rate=head_rate, soup=soup,
        adversarial=adversarial, teacher=teacher, variants=variants,
    )  # fmt: skip
