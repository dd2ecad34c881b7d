"""more_layers.json: layers whose inputs are no drawn numbers. As `layers.json`; the arguments in `config` that are
objects of Keras are their names here and in `tests/conformance/layers.rs`.
"""

from layers import case


def cases():
    return embedding()


def embedding():
    words = [[1, 0, 4], [4, 4, 2]]
    return [
        case("embedding", "Embedding", {"input_dim": 5, "output_dim": 3}, [words]),
        case("embedding_one_each", "Embedding", {"input_dim": 7, "output_dim": 4}, [[6, 0, 3, 6]]),
        case("embedding_images", "Embedding", {"input_dim": 3, "output_dim": 2}, [[[[0, 1], [2, 2]], [[1, 1], [0, 2]]]]),
        case("embedding_flags", "Embedding", {"input_dim": 2, "output_dim": 5}, [[[1], [0], [1], [1]]]),
        case("embedding_numbers", "Embedding", {"input_dim": 4, "output_dim": 1}, [[[3, 3, 3, 3, 0]]], training=True),
    ]
