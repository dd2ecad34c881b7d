"""signatures.json: the arguments of the classes that `compile` and `callbacks` take, in Keras' order.

{"name": the class, "arguments": [{"name", "default": its text or null}]}, in one list for each kind of class.
"""

import inspect

import keras

KINDS = {
    "optimizers": (keras.optimizers, keras.optimizers.Optimizer),
    "schedules": (keras.optimizers.schedules, keras.optimizers.schedules.LearningRateSchedule),
    "losses": (keras.losses, keras.losses.Loss),
    "metrics": (keras.metrics, keras.metrics.Metric),
    "callbacks": (keras.callbacks, keras.callbacks.Callback),
}


def arguments(each):
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = list(inspect.signature(each.__init__).parameters.values())[1:]
    return [
        {"name": one.name, "default": None if one.default is one.empty else repr(one.default)}
        for one in parameters
        if one.kind not in kinds
    ]


def cases():
    lists = {}
    for kind, (module, base) in KINDS.items():
        classes = {each.__name__: each for each in vars(module).values() if inspect.isclass(each)}
        lists[kind] = [
            {"name": name, "arguments": arguments(each)}
            for name, each in sorted(classes.items())
            if issubclass(each, base) and each is not base
        ]
    return lists
