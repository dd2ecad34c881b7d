"""trainings.json: whole models, twenty steps of train_on_batch each, and two histories of fit.

{"name", "config": what is declared, "inputs": [T], "targets": [T], all batches one after another,
"initial_weights": [T], "losses": [number; a step's loss],
"weights": {"1": [T], "5": [T], "10": [T], "20": [T]}, after that many steps,
"sums": [[sum of all weights, sum of their squares]; after each step], both in float64}

{"name": "fit_..", "config", "inputs", "targets", "initial_weights", "history": {name: [number; an epoch]},
"final_weights": [T]}
"""

import keras
import numpy as np
from keras import layers, losses, optimizers

from fixture import Random, number, tensors

STEPS = 20
BATCH = 8
FULL = [1, 5, 10, 20]


def case(name, model, arguments, inputs, targets):
    """Twenty steps, each on the next `BATCH` samples."""
    model.compile(**arguments)
    initial = draw_weights(name, model)
    step_losses, weights, sums = [], {}, []
    for step in range(1, STEPS + 1):
        batch = slice((step - 1) * BATCH, step * BATCH)
        x, y = ([array[batch] for array in arrays] for arrays in (inputs, targets))
        model.reset_metrics()  # the loss of this step, not the mean since the first
        logs = model.train_on_batch(alone(x), alone(y), return_dict=True)
        step_losses.append(number(logs["loss"]))
        now = model.get_weights()
        if step in FULL:
            weights[str(step)] = tensors(now)
        flat = np.concatenate([array.ravel() for array in now]).astype("float64")
        sums.append([float(f"{total:.9g}") for total in (flat.sum(), (flat**2).sum())])
    return {
        "name": name,
        "config": declared(model),
        "inputs": tensors(inputs),
        "targets": tensors(targets),
        "initial_weights": tensors(initial),
        "losses": step_losses,
        "weights": weights,
        "sums": sums,
    }


def fit_case(name, model, arguments, inputs, targets, **fit):
    model.compile(**arguments)
    initial = draw_weights(name, model)
    history = model.fit(inputs, targets, verbose=0, shuffle=False, **fit).history
    return {
        "name": name,
        "config": {**declared(model), "fit": {"shuffle": False, **fit}},
        "inputs": tensors([inputs]),
        "targets": tensors([targets]),
        "initial_weights": tensors(initial),
        "history": {key: [number(value) for value in values] for key, values in history.items()},
        "final_weights": tensors(model.get_weights()),
    }


def declared(model):
    """What the model is made of, for the reader: the layers in order, the optimizer, the loss."""
    chosen = ["units", "filters", "kernel_size", "padding", "activation", "pool_size", "momentum", "epsilon"]
    described = []
    for layer in model.layers:
        config = layer.get_config()
        arguments = {key: config[key] for key in chosen if config.get(key) is not None}
        described.append({"class": type(layer).__name__, "name": layer.name, **arguments})
    config = model.optimizer.get_config()
    kept = ["learning_rate", "momentum", "nesterov", "rho", "beta_1", "beta_2", "epsilon", "weight_decay"]
    optimizer = {key: config[key] for key in kept if config.get(key) is not None}
    if "learning_rate" in optimizer:
        optimizer["learning_rate"] = number(optimizer["learning_rate"])
    compiled = model.get_compile_config()
    return {
        "layers": described,
        "optimizer": {"class": type(model.optimizer).__name__, **optimizer},
        "loss": compiled["loss"],
        "loss_weights": compiled["loss_weights"],
        "metrics": compiled["metrics"],
    }


def alone(arrays):
    """One array is no list, for Keras."""
    return arrays[0] if len(arrays) == 1 else arrays


def draw_weights(name, model):
    """Kernels of rounded numbers, so that the file is short; zeros and ones, of the other weights, stay so."""
    random = Random(f"{name} weights")
    drawn = [
        random.values(array.shape, float(np.prod(array.shape[:-1])) ** -0.5) if array.ndim > 1 else array
        for array in model.get_weights()
    ]
    model.set_weights(drawn)
    return drawn


def cases():
    return [
        mlp(),
        mlp_sparse_adam(),
        convnet_bn(),
        two_inputs_shared(),
        regression_adamw(),
        fit_mlp(),
        fit_convnet_bn(),
    ]


def classes_of(random, inputs, classes, noise=0.5):
    """Classes that can be learned from the inputs."""
    flat = inputs.reshape(len(inputs), -1)
    scores = flat @ random.generator.normal(size=(flat.shape[1], classes))
    return (scores + noise * random.generator.normal(size=scores.shape)).argmax(-1)


def perceptron(activation="relu", outputs=4, last="softmax", features=8, units=16):
    return keras.Sequential(
        [
            keras.Input((features,)),
            layers.Dense(units, activation=activation, name="hidden_1"),
            layers.Dense(units, activation=activation, name="hidden_2"),
            layers.Dense(outputs, activation=last, name="outputs"),
        ]
    )


def mlp():
    random = Random("mlp")
    inputs = random.values((STEPS * BATCH, 8))
    targets = np.eye(4, dtype="float32")[classes_of(random, inputs, 4)]
    arguments = {"optimizer": optimizers.RMSprop(0.01), "loss": "categorical_crossentropy"}
    return case("mlp", perceptron(), arguments, [inputs], [targets])


def mlp_sparse_adam():
    random = Random("mlp_sparse_adam")
    inputs = random.values((STEPS * BATCH, 8))
    targets = np.float32(classes_of(random, inputs, 4))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    arguments = {"optimizer": optimizers.Adam(0.01), "loss": loss}
    return case("mlp_sparse_adam", perceptron("tanh", last=None), arguments, [inputs], [targets])


def convnet():
    """Not for Adam: the bias before a normalization has a gradient of zero, whose rounding Adam would follow."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv_1"),
            layers.BatchNormalization(name="norm_1"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Conv2D(6, 3, padding="same", name="conv_2"),
            layers.BatchNormalization(momentum=0.9, name="norm_2"),
            layers.Activation("relu", name="relu"),
            layers.Flatten(name="flatten"),
            layers.Dense(3, activation="softmax", name="outputs"),
        ]
    )


def convnet_bn():
    random = Random("convnet_bn")
    inputs = np.round(random.uniform((STEPS * BATCH, 8, 8, 1), 0.0, 1.0), 3)
    targets = np.float32(classes_of(random, inputs - 0.5, 3))
    arguments = {"optimizer": optimizers.SGD(0.02, momentum=0.9), "loss": "sparse_categorical_crossentropy"}
    return case("convnet_bn", convnet(), arguments, [inputs], [targets])


def two_inputs_shared():
    """A layer called twice, two merges, two outputs with a loss each."""
    random = Random("two_inputs_shared")
    first, second = random.values((STEPS * BATCH, 5)), random.values((STEPS * BATCH, 5))
    both = np.concatenate([first, second], -1)
    targets = [np.float32(classes_of(random, both, 3)), np.float32(np.round(both.sum(-1, keepdims=True), 4))]

    inputs = [keras.Input((5,), name="first"), keras.Input((5,), name="second")]
    shared = layers.Dense(6, activation="tanh", name="shared")
    a, b = shared(inputs[0]), shared(inputs[1])
    joined = layers.Concatenate(name="joined")([a, b])
    added = layers.Add(name="added")([a, b])
    probabilities = layers.Dense(3, activation="softmax", name="class")(joined)
    score = layers.Dense(1, name="score")(added)
    model = keras.Model(inputs, [probabilities, score])

    arguments = {
        "optimizer": optimizers.Adam(0.01),
        "loss": ["sparse_categorical_crossentropy", "mse"],
        "loss_weights": [1.0, 0.2],
    }
    return case("two_inputs_shared", model, arguments, [first, second], targets)


def regression_data(name, samples):
    random = Random(name)
    inputs = random.values((samples, 6))
    targets = np.sin(inputs[:, :1]) + inputs[:, 1:2] * inputs[:, 2:3]
    return inputs, np.float32(np.round(targets, 4))


def regression_adamw():
    inputs, targets = regression_data("regression_adamw", STEPS * BATCH)
    model = perceptron("sigmoid", 1, None, features=6, units=10)
    arguments = {"optimizer": optimizers.AdamW(0.01), "loss": "mse", "metrics": ["mae"]}
    return case("regression_adamw", model, arguments, [inputs], [targets])


def fit_mlp():
    """22 samples to train on, the last batch a short one, and 8 to validate on."""
    inputs, targets = regression_data("fit_mlp", 30)
    arguments = {"optimizer": optimizers.SGD(0.05), "loss": "mse", "metrics": ["mae"]}
    model = perceptron(outputs=1, last=None, features=6, units=8)
    return fit_case("fit_mlp", model, arguments, inputs, targets, epochs=3, batch_size=8, validation_split=0.25)


def fit_convnet_bn():
    """Validation with the moving statistics, batches of several sizes."""
    random = Random("fit_convnet_bn")
    inputs = np.round(random.uniform((40, 8, 8, 1), 0.0, 1.0), 3)
    targets = np.float32(classes_of(random, inputs - 0.5, 3))
    arguments = {
        "optimizer": optimizers.SGD(0.02, momentum=0.9),
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
    }
    return fit_case(
        "fit_convnet_bn", convnet(), arguments, inputs, targets, epochs=2, batch_size=9, validation_split=0.2
    )
