"""Every tab does its job in a real browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from playground.tasks import attend

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]


def title(page: Page, chart: str) -> Locator:
    """The title and subtitle of a drawn figure."""
    return page.locator(f"#{chart} .infolayer .g-gtitle")


def choose(page: Page, tab: str, label: str, option: str) -> None:
    """Pick an option of a dropdown by its text."""
    page.locator(f"#tab-{tab}").get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def press(page: Page, tab: str) -> None:
    page.locator(f"#tab-{tab} button.primary").click()


@pytest.fixture
def forward_passes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many questions each run of the attention task answered."""
    counted: list[int] = []
    run = attend.run

    def counting(model, requests):
        counted.append(len(requests))
        return run(model, requests)

    monkeypatch.setattr(attend, "run", counting)
    yield counted


def test_the_first_view_shows_something_real_without_a_click(visit: Visit) -> None:
    page = visit()
    expect(title(page, "attention-chart")).to_contain_text("Encoder layer 3 · self-attention")
    assert page.locator("#attention-chart .ytick").count() > 10


def test_a_choice_brings_one_figure_although_the_list_tells_of_it_twice(visit: Visit) -> None:
    page = visit()
    expect(title(page, "attention-chart")).to_contain_text("Encoder layer 3")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if answer.url.endswith("/run/predict") else None)
    choose(page, "attention", "Head", "Head 3")
    expect(title(page, "attention-chart")).to_contain_text("Head 3")
    for _ in range(100):  # the list tells of it again when it is left, which takes a busy machine a while
        if len(answers) > 1:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    assert sorted("Head 3" in answer.text() for answer in answers) == [False, True]


def test_layer_head_and_view_change_the_picture_and_do_not_run_the_model(visit: Visit, forward_passes: list[int]) -> None:
    page = visit()
    page.get_by_label("Text", exact=True).fill("Nobody knows why the sky is blue.")
    press(page, "attention")
    expect(page.locator("#attention-chart .ytick", has_text="nobody")).to_be_visible()
    assert sum(forward_passes) == 1
    choose(page, "attention", "Layer", "Encoder layer 1 · self-attention")
    expect(title(page, "attention-chart")).to_contain_text("Encoder layer 1")
    choose(page, "attention", "Head", "Head 3")
    expect(title(page, "attention-chart")).to_contain_text("Head 3")
    for view, says in [("All heads of a layer", "All 4 heads"), ("All layers", "All layers"), ("Whole model", "The whole model")]:
        page.get_by_label(view).check()
        expect(title(page, "attention-chart")).to_contain_text(says)
    assert sum(forward_passes) == 1


def test_a_click_on_a_small_map_opens_it(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Whole model").check()
    expect(title(page, "attention-chart")).to_contain_text("The whole model")
    area = page.locator("#attention-chart .nsewdrag").first
    box = area.bounding_box()
    area.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.55})
    expect(title(page, "attention-chart")).to_contain_text(re.compile("Encoder layer 2 .*Head 2"))
    expect(page.get_by_label("One head", exact=True)).to_be_checked()


def test_the_boxes_fit_the_kind_of_model(visit: Visit) -> None:
    page = visit()
    expect(page.get_by_label("Second text (optional)")).to_be_visible()
    choose(page, "attention", "Model", "tiny-marian")
    expect(page.get_by_label("Translation to look at (optional)")).to_be_visible()
    expect(page.get_by_label("Second text (optional)")).to_be_hidden()
    page.get_by_label("Text", exact=True).fill("今天下雨了。")
    page.get_by_label("Translation to look at (optional)").fill("She drank tea.")
    press(page, "attention")
    expect(title(page, "attention-chart")).to_contain_text("Decoder layer 2 · cross-attention")
    choose(page, "attention", "Model", "tiny-llama")
    expect(page.get_by_label("Translation to look at (optional)")).to_be_hidden()
    press(page, "attention")
    expect(title(page, "attention-chart")).to_contain_text("Decoder layer 2 · self-attention")


def test_masked_words_are_ranked_and_compared(visit: Visit) -> None:
    page = visit("masked_word")
    page.get_by_label("Text with [MASK]").fill("The animal")
    page.get_by_role("button", name="Add [MASK]").click()
    expect(page.get_by_label("Text with [MASK]")).to_have_value("The animal [MASK]")
    press(page, "masked_word")
    expect(page.locator("#masked-word-chart .ytick")).to_have_count(10)
    page.get_by_label("Words to compare (optional)").fill("tea，coffee, the")
    press(page, "masked_word")
    expect(page.locator("#masked-word-chart .ytick")).to_have_count(3)


def test_a_decoder_is_asked_beside_the_encoder(visit: Visit) -> None:
    page = visit("masked_word")
    choose(page, "masked_word", "Also ask a decoder", "tiny-llama")
    press(page, "masked_word")
    chart = page.locator("#masked-word-chart")
    expect(chart).to_contain_text("left side only")
    expect(chart.locator(".bars .point")).to_have_count(30)
    expect(page.locator("#tab-masked_word .notice")).to_contain_text("tiny-llama")
    page.get_by_text("中文", exact=True).click()
    expect(chart).to_contain_text("只看左边")


@pytest.mark.parametrize(("tab", "chart"), [("masked_word", "fill-mask-training-chart"), ("next_sentence", "next-sentence-training-chart")])
def test_how_a_model_was_trained_unfolds(visit: Visit, tab: str, chart: str) -> None:
    page = visit(tab, width=390)
    page.locator(f"#tab-{tab}").get_by_role("button", name="How this model was trained").click()
    expect(title(page, chart)).to_contain_text("Learning curves")
    expect(page.locator(f"#{chart} .scatterlayer .trace")).to_have_count(6)
    box = page.locator(f"#{chart} .main-svg").first.bounding_box()
    assert 200 < box["width"] <= 390 and box["height"] > 300
    expect(page.locator(f"#tab-{tab} .training-facts.prose")).to_contain_text("40 steps")


def test_next_sentences_are_ranked(visit: Visit) -> None:
    page = visit("next_sentence")
    page.get_by_label("Candidates for the next sentence, one a line").fill("The streets were wet.\n\nParis is in France.\n小猫累了。")
    press(page, "next_sentence")
    shown = page.locator("#next-sentence-chart .annotation-text")
    expect(shown).to_have_count(3)
    expect(page.locator("#next-sentence-chart")).to_contain_text("小猫累了。")
    expect(page.locator("#next-sentence-chart .bars .point")).to_have_count(3)


def test_a_translation_comes_with_alternatives_and_alignment(visit: Visit) -> None:
    page = visit("translation")
    page.get_by_label("Text to translate").fill("今天下雨了。\n小猫累了。")
    press(page, "translation")
    expect(page.locator("#translation-chart .main-svg").first).to_be_visible()
    expect(page.locator("#tab-translation .considered li")).to_have_count(3)
    choose(page, "translation", "Sentence", page.get_by_label("Sentence", exact=True).input_value())
    expect(title(page, "translation-probabilities")).to_be_visible()
    expect(page.locator("#tab-translation .result p br")).to_have_count(1)
    assert len(page.locator("#tab-translation .result p").inner_text()) > 3


def test_generated_tokens_are_coloured_and_tell_their_alternatives(visit: Visit) -> None:
    page = visit("generation")
    press(page, "generation")
    expect(page.locator("#generation-chart .main-svg").first).to_be_visible()
    tokens = page.locator("button.token")
    assert tokens.count() > 5
    tokens.nth(3).focus()
    page.keyboard.press("Enter")
    expect(page.locator("table.alternatives")).to_be_in_viewport(ratio=0.5)
    expect(page.locator("table.alternatives caption")).to_contain_text("Token 4")
    expect(page.locator("table.alternatives tr.chosen")).to_have_count(1)
    expect(tokens.nth(3)).to_have_attribute("aria-pressed", "true")


def test_an_example_fills_the_boxes_and_runs(visit: Visit) -> None:
    page = visit("next_sentence")
    page.get_by_role("button", name="Order turned round").click()
    expect(page.get_by_label("First sentence")).to_have_value("He put the cake into the oven.")
    expect(page.locator("#next-sentence-chart .bars .point")).to_have_count(3)
