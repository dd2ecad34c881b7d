"""metric_names.json: what `keras.metrics.get` makes of every name it knows.

{"name": what is asked for, "config": {}, "class": the class of what it makes, null if the name alone is not enough,
"metric_name": the name of what it makes, null as before}
"""

import keras
from keras.src.metrics import ALL_OBJECTS_DICT


def cases():
    made = []
    # The classes are kept in a set, whose order changes.
    for name in sorted(ALL_OBJECTS_DICT):
        keras.utils.clear_session()  # so that the metric is the first of its class
        try:
            metric = keras.metrics.get(name)
        except TypeError:
            metric = None
        made.append({
            "name": name,
            "config": {},
            "class": metric and type(metric).__name__,
            "metric_name": metric and metric.name,
        })
    return made
