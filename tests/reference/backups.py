"""backups.json: what real Keras does in calls of `fit` with a BackupAndRestore, one after the other.

{"name", "arguments": {arguments of BackupAndRestore},
"calls": [{"epochs", "initial_epoch", "interrupt": line of the diary or null}]: each with a new model and new callbacks,
"diaries": [[line]]: the hooks of each call, as in traces.json; a call ends with an error at its line `interrupt`,
"errors": [text or null], "left": [whether the directory is there after the call],
"weights": [[kernel, bias]] after each call}

Backups are made at the end of epochs. Within an epoch Keras begins it anew, with the weights that it has by then; and
the error of a callback at the end of an epoch, or of the training, comes before the backup is made, or deleted, or
after it, depending on the callbacks' order.
"""

import os
import tempfile

import keras
from keras import callbacks

from fixture import tensor
from traces import Diary, data


class Interrupted(Diary):
    def __init__(self, interrupt):
        super().__init__(None)
        self.interrupt = interrupt

    def write(self, line):
        super().write(line)
        if line == self.interrupt:
            raise RuntimeError("interrupted")


def call(epochs, initial_epoch=0, interrupt=None):
    return {"epochs": epochs, "initial_epoch": initial_epoch, "interrupt": interrupt}


def case(name, *calls, **arguments):
    diaries, errors, left, weights = [], [], [], []
    with tempfile.TemporaryDirectory() as directory:
        backup_dir = os.path.join(directory, "backup")
        for each in calls:
            keras.utils.clear_session()
            keras.utils.set_random_seed(1)
            model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones", name="dense")])
            model.compile(keras.optimizers.SGD(0.125, momentum=0.5), "mse", metrics=["mae"])
            x, y = data(8)
            diary, error = Interrupted(each["interrupt"]), None
            try:
                backup = callbacks.BackupAndRestore(**{"backup_dir": backup_dir, **arguments})
                model.fit(
                    x, y, batch_size=4, shuffle=False, verbose=0, epochs=each["epochs"],
                    initial_epoch=each["initial_epoch"], callbacks=[backup, diary],
                )
            except Exception as raised:
                error = str(raised.args[0])
            diaries.append(diary.lines)
            errors.append(error)
            left.append(os.path.exists(backup_dir))
            weights.append([tensor(each) for each in model.get_weights()])
    return {
        "name": name,
        "arguments": arguments,
        "calls": calls,
        "diaries": diaries,
        "errors": errors,
        "left": left,
        "weights": weights,
    }


def cases():
    third = "epoch_begin 2 {}"
    return [
        case("not_interrupted", call(2)),
        case("interrupted", call(4, interrupt=third), call(4)),
        case("interrupted_twice", call(5, interrupt=third), call(5, interrupt="epoch_begin 3 {}"), call(5)),
        case("interrupted_at_once", call(3, interrupt="train_begin {}"), call(3)),
        case("interrupted_in_the_first_epoch", call(2, interrupt="train_batch_end 0 {loss,mae}"), call(2)),
        case("from_an_epoch", call(4, initial_epoch=1, interrupt=third), call(4, initial_epoch=1)),
        case("from_a_later_epoch", call(4, interrupt=third), call(4, initial_epoch=3)),
        case("to_an_earlier_epoch", call(4, interrupt="epoch_begin 3 {}"), call(2)),
        case("kept", call(2), call(2), call(4), delete_checkpoint=False),
        case("double", call(4, interrupt=third), call(4), double_checkpoint=True),
        case("no_directory", call(1), backup_dir=""),
        case("unknown_frequency", call(1), save_freq="batch"),
    ]
