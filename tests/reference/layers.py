"""layers.json: one call of one layer, and the gradients of it.

{"name", "class", "config": the constructor's arguments, "training", "inputs": [T], "weights": [T] in Keras' order,
"output": T, "d_output": T, "d_inputs": [T], "d_weights": [T] of the trainable ones,
"state_after": [T], the weights that are not trained, after the call}
"""

import inspect

import keras
import numpy as np

from fixture import Random, gradients, tensor, tensors


def case(name, layer, config, inputs, training=False, instead=None):
    """Calls `keras.layers.{layer}(**config)`, or the function `instead` of it.

    `inputs` are shapes, for which numbers are drawn, or arrays.
    """
    random = Random(name)
    inputs = [random.values(x) if isinstance(x, tuple) else np.float32(x) for x in inputs]
    built = getattr(keras.layers, layer)(**config)
    several = len(inputs) > 1
    built(inputs if several else inputs[0])  # makes the weights
    for weight in built.weights:
        positive = weight.name in ("gamma", "moving_variance")
        draw = random.uniform(weight.shape, 0.5, 1.5) if positive else random.values(weight.shape, 0.5)
        weight.assign(draw)
    weights = [np.asarray(weight) for weight in built.weights]
    trainable = [np.asarray(variable) for variable in built.trainable_variables]
    state = [np.asarray(variable) for variable in built.non_trainable_variables]
    # The state of a generator of random numbers is a variable, but no weight.
    kept = [any(variable is weight for weight in built.weights) for variable in built.non_trainable_variables]

    knows_training = "training" in inspect.signature(built.call).parameters
    arguments = {"training": training} if knows_training else {}

    def call(trainable, inputs):
        called = inputs if several else inputs[0]
        if instead is not None:
            return instead(called), state
        return built.stateless_call(trainable, state, called, **arguments)

    state_after = [value for value, keep in zip(call(trainable, inputs)[1], kept) if keep]
    d_output = random.values(call(trainable, inputs)[0].shape)
    output, (d_weights, d_inputs) = gradients(
        lambda trainable, inputs: call(trainable, inputs)[0], (trainable, inputs), d_output
    )
    return {
        "name": name,
        "class": layer,
        "config": config,
        "training": training,
        "inputs": tensors(inputs),
        "weights": tensors(weights),
        "output": tensor(output),
        "d_output": tensor(d_output),
        "d_inputs": tensors(d_inputs),
        "d_weights": tensors(d_weights),
        "state_after": tensors(state_after) if training else [],
    }


def cases():
    return dense() + shapes() + convolutions() + pooling() + normalization() + merging() + preprocessing()


def dense():
    made = [
        case("dense", "Dense", {"units": 4}, [(3, 5)]),
        case("dense_one_row", "Dense", {"units": 3}, [(1, 7)]),
        case("dense_one_unit", "Dense", {"units": 1}, [(4, 3)]),
        case("dense_wide", "Dense", {"units": 19}, [(2, 9)]),
        case("dense_3d", "Dense", {"units": 4}, [(2, 3, 5)]),
        case("dense_4d_no_bias", "Dense", {"units": 2, "use_bias": False}, [(2, 2, 2, 3)]),
        case("dense_no_bias", "Dense", {"units": 4, "use_bias": False}, [(3, 5)]),
        case("dense_no_bias_relu", "Dense", {"units": 4, "use_bias": False, "activation": "relu"}, [(3, 5)]),
        case("dense_3d_softmax", "Dense", {"units": 4, "activation": "softmax"}, [(2, 3, 5)]),
    ]
    for activation in ["relu", "softmax", "sigmoid", "tanh", "gelu"]:
        config = {"units": 4, "activation": activation}
        made.append(case(f"dense_{activation}", "Dense", config, [(3, 5)]))
    return made


def shapes():
    """Layers without weights that change the shape, or the values one by one."""
    made = [
        case("flatten", "Flatten", {}, [(2, 3, 2, 2)]),
        case("flatten_2d", "Flatten", {}, [(3, 4)]),
        case("flatten_1d", "Flatten", {}, [(3,)]),
        case("reshape", "Reshape", {"target_shape": (3, 4)}, [(2, 12)]),
        case("reshape_3d", "Reshape", {"target_shape": (2, 3, 2)}, [(2, 4, 3)]),
        case("reshape_rest", "Reshape", {"target_shape": (-1, 2)}, [(2, 3, 4)]),
        case("reshape_rest_last", "Reshape", {"target_shape": (2, -1)}, [(3, 2, 2, 3)]),
        case("reshape_flat", "Reshape", {"target_shape": (-1,)}, [(2, 2, 3)]),
        case("dropout_inference", "Dropout", {"rate": 0.5}, [(3, 4)]),
        case("dropout_nothing", "Dropout", {"rate": 0.0}, [(3, 4)], training=True),
        case("rescaling", "Rescaling", {"scale": 1 / 255}, [np.arange(24).reshape(2, 3, 4) * 11]),
        case("rescaling_offset", "Rescaling", {"scale": 1 / 127.5, "offset": -1.0}, [np.arange(12).reshape(2, 6) * 23]),
    ]
    for activation in ["relu", "softmax", "sigmoid", "tanh", "gelu"]:
        made.append(case(f"activation_{activation}", "Activation", {"activation": activation}, [(3, 5)]))
    made.append(case("activation_softmax_4d", "Activation", {"activation": "softmax"}, [(2, 2, 2, 3)]))
    return made


def convolutions():
    def conv(name, image, filters, kernel, batch=2, **config):
        return case(
            f"conv2d_{name}", "Conv2D", {"filters": filters, "kernel_size": kernel, **config}, [(batch, *image)]
        )

    return [
        conv("valid", (5, 5, 2), 3, 3),
        conv("same", (5, 5, 2), 3, 3, padding="same"),
        conv("1x1", (3, 4, 3), 4, 1),
        conv("1x1_stride", (5, 4, 3), 2, 1, strides=2),
        conv("2x3", (5, 6, 2), 3, (2, 3)),
        conv("2x3_same", (4, 5, 2), 3, (2, 3), padding="same"),
        conv("even_kernel_same", (4, 4, 2), 3, 2, padding="same"),
        conv("whole_image", (4, 3, 2), 5, (4, 3)),
        conv("stride", (7, 7, 2), 3, 3, strides=2),
        conv("stride_rest", (6, 8, 2), 3, 3, strides=2),
        conv("stride_2x1", (6, 5, 2), 3, 3, strides=(2, 1)),
        conv("stride_2x1_same", (6, 5, 2), 3, 3, strides=(2, 1), padding="same"),
        conv("stride_same_even", (6, 6, 2), 3, 3, strides=2, padding="same"),
        conv("stride_same_odd", (5, 7, 2), 3, 3, strides=2, padding="same"),
        conv("stride_over_kernel", (7, 8, 2), 3, 2, strides=3),
        conv("stride_over_kernel_same", (7, 8, 2), 3, 2, strides=3, padding="same"),
        conv("dilation", (7, 6, 2), 3, 3, dilation_rate=2),
        conv("dilation_same", (5, 6, 2), 3, 3, dilation_rate=2, padding="same"),
        conv("dilation_2x1", (6, 5, 2), 3, (2, 3), dilation_rate=(2, 1)),
        conv("groups", (5, 4, 4), 6, 3, groups=2),
        conv("groups_same_stride", (5, 4, 4), 2, 3, groups=2, strides=2, padding="same"),
        conv("depthwise", (4, 4, 3), 6, 3, groups=3),
        conv("no_bias", (5, 5, 2), 3, 3, use_bias=False),
        conv("relu", (5, 5, 2), 3, 3, activation="relu"),
        conv("relu_no_bias", (5, 5, 2), 3, 3, activation="relu", use_bias=False),
        conv("softmax", (4, 4, 2), 3, 3, activation="softmax"),
        conv("one_channel", (6, 5, 1), 4, 3),
        conv("one_channel_same_relu", (5, 6, 1), 8, 3, padding="same", activation="relu"),
        conv("odd_channels", (4, 5, 5), 7, 3, batch=1),
        conv("many_channels", (3, 3, 9), 17, 2, batch=1),
        conv("one_row", (1, 6, 2), 3, (1, 3), batch=3),
    ]


def pooling():
    def pool(layer, name, image, batch=2, **config):
        prefix = "max_pooling2d" if layer == "MaxPooling2D" else "average_pooling2d"
        return case(f"{prefix}_{name}", layer, config, [(batch, *image)])

    made = []
    for layer in ["MaxPooling2D", "AveragePooling2D"]:
        made += [
            pool(layer, "2", (4, 6, 3), pool_size=2),
            pool(layer, "rest", (5, 7, 2), pool_size=2),
            pool(layer, "3", (6, 6, 2), pool_size=3),
            pool(layer, "2x3", (4, 7, 2), pool_size=(2, 3)),
            pool(layer, "overlap", (5, 5, 2), pool_size=3, strides=2),
            pool(layer, "strides_1", (4, 4, 2), pool_size=2, strides=1),
            pool(layer, "strides_over_pool", (7, 7, 2), pool_size=2, strides=3),
            pool(layer, "strides_2x1", (5, 4, 2), pool_size=(2, 3), strides=(2, 1)),
            pool(layer, "same", (4, 4, 2), pool_size=2, padding="same"),
            pool(layer, "same_odd", (5, 3, 2), pool_size=2, padding="same"),
            pool(layer, "same_3", (5, 4, 2), pool_size=3, padding="same"),
            pool(layer, "same_overlap", (5, 6, 2), pool_size=3, strides=2, padding="same"),
            pool(layer, "same_strides_1", (3, 4, 2), pool_size=(3, 2), strides=1, padding="same"),
            pool(layer, "many_channels", (4, 4, 11), batch=1, pool_size=2),
        ]
    ties = np.array([[1, 1, 2, 0], [1, 1, 2, 0], [3, -1, 0, 0], [-1, 3, 0, 0]]).reshape(1, 4, 4, 1)
    made += [
        pool("MaxPooling2D", "default", (4, 4, 1)),
        case("max_pooling2d_ties", "MaxPooling2D", {}, [ties]),
        case("max_pooling2d_ties_overlap", "MaxPooling2D", {"pool_size": 3, "strides": 1}, [ties]),
        # The padding is no zero: the maximum of negative numbers stays negative.
        case(
            "max_pooling2d_negative_same",
            "MaxPooling2D",
            {"padding": "same"},
            [-1.0 - np.arange(9).reshape(1, 3, 3, 1)],
        ),
        case("global_max_pooling2d_ties", "GlobalMaxPooling2D", {}, [ties]),
    ]
    for layer, prefix in [("GlobalAveragePooling2D", "global_average"), ("GlobalMaxPooling2D", "global_max")]:
        made += [
            case(f"{prefix}_pooling2d", layer, {}, [(2, 3, 4, 3)]),
            case(f"{prefix}_pooling2d_keepdims", layer, {"keepdims": True}, [(2, 4, 3, 2)]),
            case(f"{prefix}_pooling2d_one_pixel", layer, {}, [(2, 1, 1, 5)]),
        ]
    return made


def normalization():
    made = []
    for training in [True, False]:

        def norm(name, shape, **config):
            suffix = "training" if training else "inference"
            return case(f"batch_normalization_{name}_{suffix}", "BatchNormalization", config, [shape], training)

        made += [
            norm("2d", (6, 4)),
            norm("3d", (3, 4, 5)),
            norm("4d", (2, 3, 4, 3)),
            norm("no_scale", (5, 3), scale=False),
            norm("no_center", (5, 3), center=False),
            norm("no_scale_no_center", (2, 3, 2, 3), scale=False, center=False),
            norm("axis_1", (3, 4, 2, 2), axis=1),
            norm("axis_2", (2, 3, 4, 2), axis=2),
            norm("momentum_epsilon", (4, 3), momentum=0.5, epsilon=0.1),
            norm("many_channels", (3, 19)),
            norm("one_channel", (2, 3, 3, 1)),
            norm("one_sample", (1, 4)),
        ]
    frozen = {"trainable": False}
    made.append(case("batch_normalization_frozen_training", "BatchNormalization", frozen, [(5, 3)], training=True))
    return made


def merging():
    made = []
    for layer in ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]:
        name = layer.lower()
        made += [
            case(name, layer, {}, [(2, 3, 4), (2, 3, 4)]),
            case(f"{name}_broadcast", layer, {}, [(2, 4, 1), (2, 4, 3)]),
            case(f"{name}_broadcast_both", layer, {}, [(2, 4, 1), (2, 1, 3)]),
            case(f"{name}_broadcast_rank", layer, {}, [(2, 3), (2, 2, 3)]),
            case(f"{name}_broadcast_one", layer, {}, [(3, 5), (3, 1)]),
        ]
        if layer != "Subtract":
            made.append(case(f"{name}_3", layer, {}, [(2, 5), (2, 5), (2, 5)]))
            made.append(case(f"{name}_3_broadcast", layer, {}, [(2, 3, 1), (2, 1, 2), (2, 3, 2)]))
        if layer in ("Maximum", "Minimum"):
            ties = [np.array([[1, 2, 3, 0]]), np.array([[1, 3, 2, 0]])]
            made.append(case(f"{name}_ties", layer, {}, ties))
            made.append(case(f"{name}_ties_3", layer, {}, [*ties, np.array([[1, 3, 3, 0]])]))
    made += [
        case("concatenate", "Concatenate", {}, [(2, 3), (2, 4)]),
        case("concatenate_3", "Concatenate", {}, [(2, 3, 1), (2, 3, 2), (2, 3, 4)]),
        case("concatenate_axis_1", "Concatenate", {"axis": 1}, [(2, 3, 2), (2, 1, 2)]),
        case("concatenate_axis_1_3", "Concatenate", {"axis": 1}, [(2, 2, 2, 2), (2, 1, 2, 2), (2, 3, 2, 2)]),
        case("concatenate_axis_2_4d", "Concatenate", {"axis": 2}, [(2, 2, 3, 2), (2, 2, 1, 2)]),
    ]
    return made


def preprocessing():
    """RandomCrop where nothing is random.

    Its documentation: at inference, and for images smaller than the target, the largest centred window with the
    target's proportions, resized. The layer of Keras 3.15.1 returns its input when it is not training; `smart_resize`
    is what the documentation says, and what Keras 2 called here.
    """

    def inference(name, shape, height, width):
        config = {"height": height, "width": width}

        def resized(images):
            return keras.preprocessing.image.smart_resize(images, (height, width))

        return case(f"random_crop_{name}", "RandomCrop", config, [shape], instead=resized)

    def training(name, shape, height, width):
        config = {"height": height, "width": width}
        return case(f"random_crop_{name}_training", "RandomCrop", config, [shape], training=True)

    return [
        inference("same_proportions", (2, 6, 8, 2), 3, 4),
        inference("wide", (2, 6, 7, 2), 4, 3),
        inference("high_odd_rest", (1, 8, 5, 1), 3, 3),
        inference("same_size", (2, 3, 4, 1), 3, 4),
        inference("smaller_image", (1, 3, 3, 2), 5, 5),
        inference("smaller_height", (1, 3, 6, 1), 4, 4),
        inference("smaller_width", (1, 6, 3, 1), 4, 5),
        inference("wide_target", (2, 4, 5, 1), 4, 7),
        training("same_size", (2, 3, 4, 1), 3, 4),
        training("smaller_image", (1, 3, 3, 2), 5, 5),
    ]
