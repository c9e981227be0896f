"""Of whom the browser keeps account: of each component on its list Gradio's page copies everything at every event, several times."""

import gradio as gr


def at_opening(blocks: gr.Blocks) -> list:
    """The events of a page that is opened, and those that follow them."""
    found = {number for number, function in blocks.fns.items() if any(moment == "load" for _, moment in function.targets)}
    while more := {number for number, function in blocks.fns.items() if function.trigger_after in found} - found:
        found |= more
    return [blocks.fns[number] for number in sorted(found)]


def test_opening_the_page_puts_few_components_on_the_list(tiny_page: gr.Blocks) -> None:
    functions = at_opening(tiny_page)
    assert len(functions) > 3 and max(len(function.outputs) for function in functions) > 100  # labels in another language
    listed = {block for function in functions for block in [*function.inputs, *(function.show_progress_on or function.outputs)]}
    assert len(listed) < 30, [type(block).__name__ for block in listed]


def test_a_map_that_may_be_large_is_not_on_the_list(tiny_page: gr.Blocks) -> None:
    (chart,) = [block for block in tiny_page.blocks.values() if getattr(block, "elem_id", None) == "attention-chart"]
    for function in tiny_page.fns.values():
        assert chart not in function.inputs, function.api_name
        assert chart not in (function.show_progress_on or function.outputs), function.api_name
