"""Trains two small networks with batch norms, one further from where the first ended,
and exports them as torch does: at inference norms are folded into the convolutions.

    pip install torch==2.9.1 onnx==1.23.2 safetensors
    python make.py .
"""

import copy
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

OUT = sys.argv[1]
torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, bias=False), nn.BatchNorm2d(16)
        self.conv2, self.bn2 = nn.Conv2d(16, 24, 3, 2, bias=False), nn.BatchNorm2d(24, eps=1e-3)
        self.conv3, self.bn3 = nn.Conv2d(24, 32, 3), nn.BatchNorm2d(32)
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        for c, n in [(self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)]:
            x = F.relu(n(c(x)))
        return self.fc(x.mean((2, 3)))


def train(net, seed, steps, rate):
    g = torch.Generator().manual_seed(seed)
    patterns = torch.randn(10, 3, 12, 12, generator=torch.Generator().manual_seed(5))
    o = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4)
    net.train()
    for _ in range(steps):
        y = torch.randint(0, 10, (32,), generator=g)
        loss = F.cross_entropy(net(patterns[y] * 0.6 + torch.randn(32, 3, 12, 12, generator=g)), y)
        o.zero_grad()
        loss.backward()
        o.step()
    return net.eval()


def safetensors(path, state):
    header, blobs, at = {}, [], 0
    for k, v in state.items():
        if v.is_floating_point():
            b = v.numpy().astype("<f4").tobytes()
            header[k] = {"dtype": "F32", "shape": list(v.shape), "data_offsets": [at, at + len(b)]}
            blobs.append(b)
            at += len(b)
    h = json.dumps(header).encode()
    with open(f"{OUT}/{path}", "wb") as f:
        f.write(len(h).to_bytes(8, "little") + h + b"".join(blobs))


nets = {}
for name, seed in [("model", 1), ("stranger", 2)]:
    torch.manual_seed(seed)
    nets[name] = train(Net(), seed, 200, 0.04)
nets["tuned"] = train(copy.deepcopy(nets["model"]), 7, 60, 0.01)
safetensors("model.safetensors", nets["model"].state_dict())
for name, net in nets.items():
    torch.onnx.export(net, torch.randn(1, 3, 12, 12), f"{OUT}/{name}.onnx", dynamo=False, opset_version=17)

# The same fold by torch's own function, whose roundings are others.
fused = copy.deepcopy(nets["model"])
state = {}
for c, n in [("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3")]:
    layer = torch.nn.utils.fusion.fuse_conv_bn_eval(getattr(fused, c), getattr(fused, n))
    state |= {f"{c}.weight": layer.weight.detach(), f"{c}.bias": layer.bias.detach()}
safetensors("fused.safetensors", state | {"fc.weight": fused.fc.weight.detach(), "fc.bias": fused.fc.bias.detach()})
