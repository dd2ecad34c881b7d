"""more_trainings.json: as the trainings in `trainings.json`, with other layers and optimizers."""

import keras
import numpy as np
from keras import layers, optimizers

import trainings
from fixture import Random
from trainings import BATCH, STEPS, classes_of


def embedding():
    """Words of a sentence, their vectors penalized and kept short; Adam moves those of absent words, too."""
    random = Random("embedding")
    inputs = random.whole((STEPS * BATCH, 5), 0, 9)
    targets = np.float32(inputs.sum(-1, keepdims=True) % 3)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Embedding(
                9,
                4,
                embeddings_regularizer=keras.regularizers.L2(0.01),
                embeddings_constraint=keras.constraints.MaxNorm(1.0, axis=0),
                name="words",
            ),
            layers.Flatten(name="flatten"),
            layers.Dense(3, activation="softmax", name="outputs"),
        ]
    )
    arguments = {"optimizer": optimizers.Adam(0.02), "loss": "sparse_categorical_crossentropy"}
    return trainings.case("embedding", model, arguments, [inputs], [targets])


def classifier(name, optimizer):
    """A small network for three classes, trained by an optimizer."""
    random = Random(name)
    inputs = random.values((STEPS * BATCH, 5))
    targets = np.float32(classes_of(random, inputs, 3))
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(7, activation="tanh", name="hidden"),
            layers.Dense(3, activation="softmax", name="outputs"),
        ],
        name=name,
    )
    arguments = {"optimizer": optimizer, "loss": "sparse_categorical_crossentropy"}
    return trainings.case(name, model, arguments, [inputs], [targets])


def by_variable():
    """Kernels by Muon's sibling for vectors, the rest by two others."""
    chosen = optimizers.OptimizerMap(optimizers.SGD(0.1, momentum=0.9))
    chosen["multi_optimizer/outputs/kernel"] = optimizers.Adam(0.02)
    chosen["multi_optimizer/.*/bias"] = optimizers.RMSprop(0.005, clipnorm=0.05)
    return optimizers.MultiOptimizer(chosen)


def cases():
    return [
        embedding(),
        classifier("muon", optimizers.Muon(0.02)),
        classifier(
            "loss_scale_optimizer",
            optimizers.LossScaleOptimizer(
                optimizers.Adam(0.02, clipnorm=0.5), initial_scale=2.0**100, dynamic_growth_steps=3
            ),
        ),
        classifier("multi_optimizer", by_variable()),
    ]
