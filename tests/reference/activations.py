"""activations.json: every activation function, and its gradient.

{"name", "function", "config": the arguments after x, "x": T, "y": T, "dy": T, "dx": T}
"""

import keras

from fixture import Random, gradients, tensor

# No arguments: Keras' defaults.
PLAIN = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink",
]  # fmt: skip

CONFIGURED = [
    ("celu_alpha", "celu", {"alpha": 0.5}),
    ("elu_alpha", "elu", {"alpha": 0.3}),
    ("gelu_approximate", "gelu", {"approximate": True}),
    ("hard_shrink_threshold", "hard_shrink", {"threshold": 1.2}),
    ("leaky_relu_slope", "leaky_relu", {"negative_slope": 0.01}),
    ("relu_max_value", "relu", {"max_value": 1.5}),
    ("relu_slope", "relu", {"negative_slope": 0.1}),
    ("relu_threshold", "relu", {"threshold": 0.7}),
    ("relu_all", "relu", {"negative_slope": 0.2, "max_value": 2.0, "threshold": 0.5}),
    ("soft_shrink_threshold", "soft_shrink", {"threshold": 0.2}),
    ("squareplus_b", "squareplus", {"b": 1.0}),
    ("threshold", "threshold", {"threshold": 0.4, "default_value": -2.0}),
]


def case(name, function, config):
    random = Random("activations")  # the same x for all
    x = random.values((4, 6), 2.0)
    x[0, :3] = [0.0, 30.0, -30.0]
    x[1, :4] = [1e-6, -1e-6, 3e-20, -9.0]
    dy = random.values((4, 3 if function == "glu" else 6))
    y, (dx,) = gradients(lambda x: getattr(keras.activations, function)(x, **config), (x,), dy)
    return {
        "name": name,
        "function": function,
        "config": config,
        "x": tensor(x),
        "y": tensor(y),
        "dy": tensor(dy),
        "dx": tensor(dx),
    }


def cases():
    return [case(name, name, {}) for name in PLAIN] + [case(*configured) for configured in CONFIGURED]
