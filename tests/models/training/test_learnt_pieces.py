"""SentencePiece vocabularies, learnt and changed."""

from training_helpers import pieces_of_pairs, some_pairs

from models.training.pieces import Piece, by_rank, cut_down, learn_pieces, parse, processor, serialise, used

TEXTS = [text for pair in some_pairs() for text in pair]


def test_the_same_texts_give_the_same_pieces_and_marians_first_ids() -> None:
    assert learn_pieces(TEXTS, size=160) == pieces_of_pairs()
    cutter = processor(pieces_of_pairs())
    assert (cutter.id_to_piece(0), cutter.id_to_piece(1)) == ("</s>", "<unk>")
    assert 100 < cutter.vocab_size() <= 160
    for text in TEXTS[:20]:
        assert cutter.decode(cutter.encode(text)) == text


def test_what_is_read_is_written_back_byte_for_byte() -> None:
    model = pieces_of_pairs()
    pieces, rest = parse(model)
    assert serialise(pieces, rest) == model
    cutter = processor(model)
    assert [(piece.text, piece.score) for piece in pieces] == [
        (cutter.id_to_piece(index), cutter.get_score(index)) for index in range(cutter.vocab_size())
    ]


def test_a_vocabulary_that_is_cut_to_what_texts_use_cuts_them_as_before() -> None:
    whole = processor(pieces_of_pairs())
    some = TEXTS[:30]
    kept = used(whole, some)
    small = processor(cut_down(pieces_of_pairs(), kept.__contains__))
    assert 2 < small.vocab_size() < whole.vocab_size()
    for text in some:
        assert small.encode(text, out_type=str) == whole.encode(text, out_type=str)
    assert kept["安"] >= 0 and all(character in kept for character in "▁Anna安娜")


def test_a_list_of_pieces_by_frequency_becomes_a_vocabulary() -> None:
    ranked = ["▁the", "▁", "e", "t", "h", "r", "▁there", "the", "n", "▁then"]
    cutter = processor(by_rank(ranked, like=pieces_of_pairs()))
    assert cutter.encode("the there then", out_type=str) == ["▁the", "▁there", "▁then"]
    assert cutter.encode("her\u3000ten", out_type=str) == ["▁", "h", "e", "r", "▁", "t", "e", "n"]  # normalised as the other one does
    assert cutter.decode(cutter.encode("the there then")) == "the there then"
    assert [cutter.id_to_piece(index) for index in range(2)] == ["</s>", "<unk>"]
    assert parse(by_rank(ranked, like=pieces_of_pairs()))[0][2] == Piece("▁the", cutter.get_score(2))
