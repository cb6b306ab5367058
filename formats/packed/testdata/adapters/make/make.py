"""Makes the adapters of this folder with PEFT, and by hand those that PEFT does
not write.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install torch peft safetensors
    /tmp/v/bin/python make.py ..

base/ is the model; every other folder is an adapter for it, with expected.f32:
the merged tensors in the order of their names. All numbers are float32; they
are merged in float64 and rounded once.
"""

import json
import os
import shutil
import sys

import numpy as np
import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

OUT = sys.argv[1]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj, self.down = nn.Linear(6, 8, bias=False), nn.Linear(6, 4), nn.Linear(8, 6, bias=False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(10, 6)
        self.layers = nn.ModuleList(Block() for _ in range(2))
        self.conv = nn.Conv2d(3, 4, (2, 3))
        self.norm = nn.LayerNorm(6)
        self.lm_head = nn.Linear(6, 10, bias=False)

    def forward(self, x):
        return x


def single(m):
    """Numbers that float32 holds, computed with in float64."""
    g = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in m.parameters():
            p.copy_(torch.randn(p.shape, generator=g).float())
    return m.double()


def expect(name, state):
    with open(os.path.join(OUT, name, "expected.f32"), "wb") as f:
        for k in sorted(state):
            f.write(state[k].detach().float().contiguous().numpy().astype("<f4").tobytes())


def floats(folder):
    path = os.path.join(folder, "adapter_model.safetensors")
    save_file({k: v.float().contiguous() for k, v in load_file(path).items()}, path)


def peft(name, config):
    torch.manual_seed(1)
    net = get_peft_model(single(Net()), config)
    g = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for n, p in net.named_parameters():
            if any(s in n for s in ("lora_", "hada_", "lokr_")) or "modules_to_save" in n:
                p.copy_((torch.randn(p.shape, generator=g).double() / 4 + (2 if "magnitude" in n else 0)).float())
    folder = os.path.join(OUT, name)
    net.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    floats(folder)
    merged = net.merge_and_unload()
    expect(name, merged.state_dict())


base = single(Net())
os.makedirs(os.path.join(OUT, "base"), exist_ok=True)
save_file({k: v.float().contiguous() for k, v in base.state_dict().items()}, os.path.join(OUT, "base", "model.safetensors"))
linear = ["q_proj", "k_proj", "down"]
peft("peft-lora", LoraConfig(r=3, lora_alpha=5, target_modules=linear + ["embed_tokens", "conv"], modules_to_save=["lm_head", "norm"],
                             rank_pattern={"layers.1.q_proj": 2}, alpha_pattern={"layers.1.q_proj": 7, "down": 1}))
peft("peft-rslora", LoraConfig(r=2, lora_alpha=4, use_rslora=True, target_modules=["down"]))
peft("peft-dora", LoraConfig(r=2, lora_alpha=4, use_dora=True, target_modules=linear))
peft("peft-loha", LoHaConfig(r=2, alpha=3, target_modules=linear))
peft("peft-lokr", LoKrConfig(r=2, alpha=3, decompose_both=True, target_modules=linear, decompose_factor=2))


def by_hand(name, tensors, config=None, merge=None):
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    save_file({k: v.float().contiguous() for k, v in tensors.items()}, os.path.join(folder, "adapter_model.safetensors" if config else name + ".safetensors"))
    if config:
        with open(os.path.join(folder, "adapter_config.json"), "w") as f:
            json.dump(config, f)
    expect(name, merge({k: v.clone() for k, v in base.state_dict().items()}, {k: v.double() for k, v in tensors.items()}))


G = torch.Generator().manual_seed(9)
w = lambda *s: torch.randn(s, generator=G) / 4


def kohya(state, t):
    for module, k in (("layers.0.q_proj", "lora_unet_layers_0_q_proj"), ("conv", "lora_unet_conv")):
        up, down = t[k + ".lora_up.weight"], t[k + ".lora_down.weight"]
        r = down.shape[0]
        alpha = t.get(k + ".alpha", torch.tensor(float(r))).double()
        state[module + ".weight"] += (alpha / r * (up.flatten(1) @ down.flatten(1))).reshape(state[module + ".weight"].shape)
    return state


by_hand("kohya-lora", {"lora_unet_layers_0_q_proj.lora_up.weight": w(8, 2), "lora_unet_layers_0_q_proj.lora_down.weight": w(2, 6), "lora_unet_layers_0_q_proj.alpha": torch.tensor(3.0),
                       "lora_unet_conv.lora_up.weight": w(4, 2, 1, 1), "lora_unet_conv.lora_down.weight": w(2, 3, 2, 3)}, merge=kohya)


def comfy(state, t):
    p = "diffusion_model.layers.1.k_proj."
    v = state["layers.1.k_proj.weight"] + t[p + "alpha"] / 2 * (t[p + "lora_up.weight"] @ t[p + "lora_down.weight"])
    state["layers.1.k_proj.weight"] = v * (t[p + "dora_scale"] / v.norm(dim=1, keepdim=True))
    state["layers.1.q_proj.weight"] += t["diffusion_model.layers.1.q_proj.diff"]
    h = "diffusion_model.layers.0.down."
    state["layers.0.down.weight"] += t[h + "alpha"] / 2 * ((t[h + "hada_w1_a"] @ t[h + "hada_w1_b"]) * (t[h + "hada_w2_a"] @ t[h + "hada_w2_b"]))
    k = "diffusion_model.layers.1.down."
    state["layers.1.down.weight"] += torch.kron(t[k + "lokr_w1"], t[k + "lokr_w2"])
    return state


by_hand("comfy-mixed", {"diffusion_model.layers.1.k_proj.lora_up.weight": w(4, 2), "diffusion_model.layers.1.k_proj.lora_down.weight": w(2, 6), "diffusion_model.layers.1.k_proj.alpha": torch.tensor(1.0),
                        "diffusion_model.layers.1.k_proj.dora_scale": w(4, 1) + 1, "diffusion_model.layers.1.q_proj.diff": w(8, 6),
                        "diffusion_model.layers.0.down.hada_w1_a": w(6, 2), "diffusion_model.layers.0.down.hada_w1_b": w(2, 8), "diffusion_model.layers.0.down.hada_w2_a": w(6, 2),
                        "diffusion_model.layers.0.down.hada_w2_b": w(2, 8), "diffusion_model.layers.0.down.alpha": torch.tensor(4.0),
                        "diffusion_model.layers.1.down.lokr_w1": w(2, 4), "diffusion_model.layers.1.down.lokr_w2": w(3, 2), "diffusion_model.layers.1.down.alpha": torch.tensor(9.0)}, merge=comfy)


def mlx(state, t):
    state["layers.1.q_proj.weight"] += 20.0 * (t["layers.1.q_proj.lora_a"] @ t["layers.1.q_proj.lora_b"]).T
    return state


by_hand("mlx", {"layers.1.q_proj.lora_a": w(6, 3), "layers.1.q_proj.lora_b": w(3, 8)}, {"fine_tune_type": "lora", "lora_parameters": {"rank": 3, "scale": 20.0, "dropout": 0.0}}, mlx)


def default(state, t):
    p = "base_model.model.layers.0.k_proj."
    state["layers.0.k_proj.weight"] += 2.0 * (t[p + "lora_B.default.weight"] @ t[p + "lora_A.default.weight"])
    state["lm_head.weight"] = t["base_model.model.lm_head.modules_to_save.default.weight"]
    return state


by_hand("named-default", {"base_model.model.layers.0.k_proj.lora_A.default.weight": w(2, 6), "base_model.model.layers.0.k_proj.lora_B.default.weight": w(4, 2),
                          "base_model.model.lm_head.modules_to_save.default.weight": w(10, 6)}, {"peft_type": "LORA", "lora_alpha": 4}, default)
