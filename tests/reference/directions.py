"""directions.json: whether larger or smaller values of a metric are better, as EarlyStopping and its like find out.

{"name": the metric's class, "direction": "up" | "down" | null}, for every class that needs no arguments
and compares targets with predictions.
"""

import inspect

import keras


def needs_arguments(metric):
    parameters = inspect.signature(metric.__init__).parameters.values()
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = [each for each in parameters if each.name != "self" and each.kind not in kinds]
    return any(each.default is inspect.Parameter.empty for each in named)


def cases():
    classes = [each for each in vars(keras.metrics).values() if inspect.isclass(each)]
    others = {keras.metrics.Metric, keras.metrics.Mean, keras.metrics.Sum}
    classes = [each for each in classes if each not in others and not needs_arguments(each)]
    return [
        {"name": each.__name__, "direction": getattr(each(), "_direction", None)}
        for each in sorted(classes, key=lambda each: each.__name__)
    ]
