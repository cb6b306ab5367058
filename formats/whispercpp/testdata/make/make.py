"""Makes a small Whisper model, and what whisper.cpp's own converter writes of it.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install torch transformers
    /tmp/v/bin/python make.py .. CONVERTER

CONVERTER is models/convert-h5-to-ggml.py of whisper.cpp. model.json says of each
tensor what transformers holds, rounded as the converter rounds it.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

out, converter = sys.argv[1:]
torch.manual_seed(3)
small = dict(d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
             vocab_size=12, num_mel_bins=4, max_source_positions=6, max_target_positions=7, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=3)
with tempfile.TemporaryDirectory() as d:
    model = WhisperForConditionalGeneration(WhisperConfig(**small))
    for p in model.parameters():
        p.data = torch.randn_like(p)
    model.save_pretrained(d)
    json.dump({**json.load(open(f"{d}/config.json")), "max_length": 7}, open(f"{d}/config.json", "w"))
    json.dump({c: i for i, c in enumerate("abcdefghijkl")}, open(f"{d}/vocab.json", "w"))
    json.dump({}, open(f"{d}/added_tokens.json", "w"))
    os.makedirs(f"{d}/whisper/assets")
    np.savez(f"{d}/whisper/assets/mel_filters.npz", mel_4=np.random.default_rng(1).random((4, 9), np.float32))
    for name, more in (("model.bin", []), ("model-f32.bin", ["use-f32"])):
        said = subprocess.run([sys.executable, converter, d, d, d, *more], check=True, capture_output=True, text=True).stdout
        os.replace(f"{d}/ggml-model{'-f32' if more else ''}.bin", f"{out}/{name}")
    tensors = []
    state = model.state_dict()
    for src, name in re.findall(r"^(\S+)  ->  (\S+)$", said, re.M):
        x = state[src].squeeze().half().float().contiguous()
        tensors.append({"name": name, "shape": list(x.shape), "f32_sha256": hashlib.sha256(x.numpy().tobytes()).hexdigest()})
    json.dump(tensors, open(f"{out}/model.json", "w"), indent=0)
