"""The networks of `examples/bench.rs` in PyTorch, on the GPU: the same sizes, shuffling, the running loss and
accuracy on the device, the batch gathered on the host and uploaded from pinned memory, as a data loader does.

    cuda-bench.py mlp_mnist|convnet_mnist BATCH_SIZE eager|compile [tf32]

Prints `name backend seconds_per_epoch samples_per_second` after one epoch of warming up.
"""

import sys
import time

import torch
from torch import nn

NAME, BATCH_SIZE, MODE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
IS_TF32 = "tf32" in sys.argv[4:]
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = IS_TF32
torch.manual_seed(0)

if NAME == "mlp_mnist":
    samples, epochs = 60_000, 3
    x = torch.rand(samples, 784)
    model = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(512, 10),
    )
elif NAME == "convnet_mnist":
    samples, epochs = 12_000, 3
    x = torch.rand(samples, 1, 28, 28)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
    )
else:
    sys.exit(__doc__)
if MODE not in ("eager", "compile"):
    sys.exit(__doc__)
y = torch.randint(0, 10, (samples,))

device = torch.device("cuda")
model.to(device).train()
network = torch.compile(model) if MODE == "compile" else model
optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
loss_of = nn.CrossEntropyLoss()


def epoch():
    order = torch.randperm(samples)
    loss_sum, correct = torch.zeros((), device=device), torch.zeros((), device=device)
    for start in range(0, samples, BATCH_SIZE):
        rows = order[start : start + BATCH_SIZE]
        images = x[rows].pin_memory().to(device, non_blocking=True)
        labels = y[rows].pin_memory().to(device, non_blocking=True)
        optimizer.zero_grad(set_to_none=True)
        output = network(images)
        loss = loss_of(output, labels)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            loss_sum += loss * len(rows)
            correct += (output.argmax(1) == labels).sum()
    return loss_sum.item() / samples, correct.item() / samples


epoch()
torch.cuda.synchronize()
start = time.perf_counter()
for _ in range(epochs):
    epoch()
torch.cuda.synchronize()
seconds = (time.perf_counter() - start) / epochs
backend = f"torch-{MODE}" + ("+tf32" if IS_TF32 else "")
print(f"{NAME} {backend} {seconds:.6f} {samples / seconds:.1f}")
