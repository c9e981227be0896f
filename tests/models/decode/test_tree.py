"""The tree of a search: from steps written by hand, and of a real search."""

import pytest
import torch

from models.decode.beam import NEVER, BeamStep, Hypothesis, beam, search
from models.decode.tree import grow, watch


def step(ids: list[int], parents: list[int], scores: list[float]) -> BeamStep:
    return BeamStep(rows=(3,), ids=torch.tensor([ids]), parents=torch.tensor([parents]), scores=torch.tensor([scores]))


def test_a_search_written_by_hand() -> None:
    # "a b" wins, "c" is given up at the second step, "a d" is the second text, the third line of the first step is none at all.
    steps = [step([10, 12, 0], [0, 0, 0], [-0.5, -1.0, NEVER]), step([11, 13], [0, 0], [-0.75, -1.5]), step([14, 15], [0, 1], [-2.0, -3.0])]
    found = [
        Hypothesis(ids=(10, 11), probabilities=(0.6, 0.7), score=-0.3, ended=True),
        Hypothesis(ids=(10, 13), probabilities=(0.6, 0.4), score=-0.6, ended=True),
    ]
    branches = grow(steps, found, row=3)
    assert [(one.word, one.parent, one.step, one.place) for one in branches] == [
        (10, -1, 0, 0),
        (12, -1, 0, 1),
        (11, 0, 1, 0),
        (13, 0, 1, 1),
    ]
    assert [one.score for one in branches] == [-0.5, -1.0, -0.75, -1.5]
    assert [one.texts for one in branches] == [(0, 1), (), (0,), (1,)] and [one.ends for one in branches] == [None, None, 0, 1]


def test_the_last_word_of_a_text_that_was_cut_off_is_there_too() -> None:
    cut = Hypothesis(ids=(10, 11), probabilities=(0.6, 0.7), score=-0.3, ended=False)
    last = grow([step([10], [0], [-0.5]), step([11], [0], [NEVER])], [cut], row=3)[-1]
    assert (last.word, last.parent, last.score, last.ends) == (11, 0, None, 0)


@pytest.mark.parametrize("begun", [(), ((7, 9), ())])
def test_every_text_of_a_real_search_is_a_path_with_growing_cost(networks, tokens, begun) -> None:
    network, batch = networks["translator"], tokens([5, 3])
    settings = {"beams": 3, "max_new_tokens": 6, "begun": begun}
    steps, found = watch(beam(network, batch, **settings))
    assert found == search(network, batch, **settings)
    for row, texts in enumerate(found):
        branches = grow(steps, texts, row=row)
        for rank, text in enumerate(texts):
            path = [branch for branch in branches if rank in branch.texts]
            assert tuple(branch.word for branch in path) == text.ids and (not path or path[-1].ends == rank)
            assert all(branches[one.parent] is before for one, before in zip(path[1:], path))
        for branch in branches:
            if branch.parent >= 0 and branch.score is not None:
                assert branch.step == branches[branch.parent].step + 1 and branch.score <= branches[branch.parent].score + 1e-6
