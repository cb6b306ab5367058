"""Makes the packed models of this folder with the packages that pack so.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install torch==2.9.1 torchao==0.14.1 optimum-quanto hqq==0.2.8.post1 aqlm==1.1.7 vptq==0.0.5.post1 transformers safetensors
    /tmp/v/bin/python make.py ..

Every folder has model.safetensors, config.json and expected.json with the
names and shapes of its matrices, and expected.f32 (.gz where large) with their values as the
package itself dequantises them, all scales being float32. Those under refused/
have no values.
"""

import gzip
import json
import os
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

OUT = sys.argv[1]


def net(rows=64, cols=128):
    torch.manual_seed(7)
    m = nn.Module()
    m.model = nn.Module()
    m.model.layers = nn.ModuleList([nn.Module()])
    m.model.layers[0].up_proj, m.model.layers[0].down_proj = nn.Linear(cols, rows, bias=False), nn.Linear(rows, cols, bias=True)
    return m


def save(name, tensors, config, values=None, metadata=None):
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tensors = {k: v.contiguous() for k, v in tensors.items()}
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump({"model_type": "llama", "quantization_config": config}, f)
    if values is None:
        return
    with open(os.path.join(folder, "expected.json"), "w") as f:
        json.dump([{"name": k, "shape": list(v.shape)} for k, v in values.items()], f)
    data = b"".join(v.detach().float().contiguous().numpy().astype("<f4").tobytes() for v in values.values())
    large = len(data) > 100_000
    with open(os.path.join(folder, "expected.f32" + (".gz" if large else "")), "wb") as f:
        f.write(gzip.compress(data, 9, mtime=0) if large else data)


def marlin():
    """AutoGPTQ's files of the format "marlin": packed by Layer.pack of marlin/__init__.py,
    whose path the environment variable MARLIN gives."""
    import types

    source = open(os.environ["MARLIN"]).read().replace("import marlin_cuda", "marlin_cuda = None")
    code = types.ModuleType("marlin")
    exec(compile(source, "marlin", "exec"), code.__dict__)
    for name, group in (("marlin-g128", 128), ("marlin-row", -1)):
        torch.manual_seed(11)
        tensors, values = {}, {}
        for stem, k, n in (("model.layers.0.up_proj", 256, 256), ("model.layers.0.down_proj", 128 if group < 0 else 256, 256)):
            size = k if group < 0 else group
            s = (torch.rand(n, k // size) * 0.02 + 0.001).half()
            q = torch.randint(-8, 8, (n, k // size, size))
            w = (q.half() * s[:, :, None]).reshape(n, k)
            linear = nn.Linear(k, n, bias=False, dtype=torch.half)
            linear.weight.data = w
            layer = code.Layer(k, n, groupsize=group)
            layer.pack(linear, s)
            tensors |= {f"{stem}.B": layer.B, f"{stem}.s": layer.s, f"{stem}.workspace": torch.zeros(n // 128 * 16, dtype=torch.int32)}
            values[f"{stem}.weight"] = (q.float() * s[:, :, None].float()).reshape(n, k)
        save(name, tensors, {"quant_method": "gptq", "bits": 4, "group_size": group, "sym": True, "desc_act": False, "checkpoint_format": "marlin", "is_marlin_format": True}, values)


def linears(m):
    return {k: v for k, v in m.named_modules() if isinstance(v, nn.Linear)}


def torchao():
    from torchao.prototype.safetensors.safetensors_support import flatten_tensor_state_dict
    from torchao.quantization import Float8WeightOnlyConfig, IntxWeightOnlyConfig, MappingType, quantize_
    from torchao.quantization.granularity import PerAxis, PerGroup
    for name, config in (("torchao-fp8-row", Float8WeightOnlyConfig()), ("torchao-int8-row", IntxWeightOnlyConfig(torch.int8, PerAxis(0))),
                         ("torchao-int4-group", IntxWeightOnlyConfig(torch.int4, PerGroup(32), MappingType.ASYMMETRIC))):
        m = net()
        quantize_(m, config)
        values = {k + ".weight": v.weight.dequantize() for k, v in linears(m).items()}
        state = m.state_dict()
        try:
            flat, metadata = flatten_tensor_state_dict(state)
        except Exception:
            flat, metadata = {}, {}
            for k, v in state.items():
                if type(v) is torch.Tensor:
                    flat[k] = v
                    continue
                stem = k.removesuffix(".weight")
                metadata[k] = json.dumps({"_type": type(v).__name__, "_data": {}, "_tensor_data_names": v.tensor_data_names})
                for n in v.tensor_data_names:
                    flat[f"{stem}._weight_{n}"] = getattr(v, n)
        flat = {k: v for k, v in flat.items()}
        save(name, flat, {"quant_method": "torchao"}, values, metadata)
    flat = {"model.layers.0.up_proj._weight_qdata": torch.zeros(64, 64, dtype=torch.uint8), "model.layers.0.up_proj._weight_scale": torch.ones(4, 64)}
    save("refused/torchao-int4-tile", flat, {"quant_method": "torchao"}, None, {"model.layers.0.up_proj.weight": '{"_type": "Int4TilePackedTo4dTensor", "_data": {}}'})


def quanto():
    from optimum.quanto import freeze, qfloat8_e4m3fn, qint8, quantize
    for name, kind in (("quanto-int8", qint8), ("quanto-fp8", qfloat8_e4m3fn)):
        m = net()
        quantize(m, weights=kind)
        freeze(m)
        values = {k + ".weight": v.weight.dequantize() for k, v in m.named_modules() if hasattr(v, "weight_qtype")}
        save(name, m.state_dict(), {"quant_method": "quanto"}, values)


def hqq():
    from hqq.core.quantize import BaseQuantizeConfig, HQQLinear
    for name, kw in (("hqq-4bit-g64", dict(nbits=4, group_size=64, axis=1)), ("hqq-2bit-g16-axis0", dict(nbits=2, group_size=16, axis=0)),
                     ("hqq-8bit-row", dict(nbits=8, group_size=None, axis=1)), ("hqq-1bit-g32", dict(nbits=1, group_size=32, axis=1)), ("hqq-3bit-g64", dict(nbits=3, group_size=64, axis=1)),
                     ("hqq-3bit-g32-axis0", dict(nbits=3, group_size=32, axis=0)), ("hqq-6bit-g64", dict(nbits=6, group_size=64, axis=1))):
        m, flat, values = net(), {}, {}
        for k, v in linears(m).items():
            h = HQQLinear(v, BaseQuantizeConfig(**kw), compute_dtype=torch.float32, device="cpu")
            values[k + ".weight"] = h.dequantize()
            flat.update({f"{k}.{n}": t for n, t in h.state_dict().items() if t is not None})
        save(name, flat, {"quant_method": "hqq"}, values)


def aqlm():
    """Random codes, as the package's QuantizedLinear keeps them; packed and decoded by the package."""
    from aqlm.inference import QuantizedLinear
    from aqlm.utils import _dequantize_weight, pack_int_data, unpack_int_data
    for name, k, nbits, out, inp, per_group in (("aqlm-2x8", 2, 8, 1, 8, False), ("aqlm-1x10", 1, 10, 1, 8, False), ("aqlm-3x6-blocks", 3, 6, 2, 4, True)):
        torch.manual_seed(13)
        flat, values = {}, {}
        for stem, rows, cols in (("model.layers.0.up_proj", 16, 64), ("model.layers.0.down_proj", 32, 16)):
            layer = QuantizedLinear(cols, rows, inp, out, k, nbits, bias=False, dtype=torch.float32)
            codebooks = torch.randn(k, 2**nbits, out, inp).half().float()
            codebooks[:, ::17] = -0.0
            codes = torch.randint(0, 2**nbits, (rows // out, cols // inp, k))
            scales = torch.rand(rows // out, cols // inp if per_group else 1, 1, 1).half().float() + 0.01
            packed = pack_int_data(codes.clone(), nbits)
            assert packed.dtype == layer.codes.dtype and layer.codebooks.shape == codebooks.shape
            values[stem + ".weight"] = _dequantize_weight(unpack_int_data(packed, nbits), codebooks, scales)
            flat |= {f"{stem}.codes": packed, f"{stem}.codebooks": codebooks, f"{stem}.scales": scales}
        save(name, flat, {"quant_method": "aqlm", "nbits_per_codebook": nbits, "num_codebooks": k, "out_group_size": out, "in_group_size": inp}, values)


def vptq():
    """Random codes in the package's VQuantLinear, packed by its pack_index and decoded by its dequant.
    Only the files needed are loaded: the package as a whole asks for a GPU's libraries."""
    import importlib.util
    import types
    from unittest import mock
    root = os.path.dirname(importlib.util.find_spec("vptq").origin)
    package = types.ModuleType("vptq")
    package.__path__ = [root]
    layers, utils = types.ModuleType("vptq.layers"), types.ModuleType("vptq.utils")
    layers.__path__, utils.__path__ = [os.path.join(root, "layers")], [os.path.join(root, "utils")]
    sys.modules |= {"vptq": package, "vptq.layers": layers, "vptq.utils": utils}
    for other in ("accelerate", "sentence_transformers", "sentence_transformers.SentenceTransformer"):
        sys.modules[other] = mock.MagicMock()
    from vptq.layers.vqlinear import VQuantLinear
    from vptq.ops.quant_gemm import dequant
    from vptq.utils.pack import pack_index
    for name, rows, cols, kw in (
        ("vptq", 44, 64, dict(vector_lens=[-1, 8], num_centroids=[-1, 64], num_res_centroids=[-1, 16], group_num=1, group_size=64, outlier_size=0, enable_norm=True, enable_perm=True)),
        ("vptq-groups", 32, 48, dict(vector_lens=[-1, 6], num_centroids=[-1, 100], num_res_centroids=[-1, -1], group_num=2, group_size=24, outlier_size=0, enable_norm=False, enable_perm=False)),
        ("vptq-outliers", 30, 40, dict(vector_lens=[4, 8], num_centroids=[32, 256], num_res_centroids=[-1, 256], group_num=1, group_size=35, outlier_size=5, enable_norm=True, enable_perm=True)),
        ("vptq-unpacked", 30, 40, dict(vector_lens=[4, 8], num_centroids=[32, 256], num_res_centroids=[-1, -1], group_num=1, group_size=35, outlier_size=5, enable_norm=True, enable_perm=False)),
    ):
        torch.manual_seed(17)
        flat, values, config, packed = {}, {}, {}, name != "vptq-unpacked"
        kw = dict(kw, indices_as_float=False)
        for stem in ("model.layers.0.up_proj", "model.layers.0.down_proj"):
            config[stem] = dict(kw, in_features=cols, out_features=rows, is_indice_packed=packed, bias=False)
            v = VQuantLinear(**config[stem], dtype=torch.float32)
            number = lambda shape: torch.randn(shape).half().float()
            v.centroids.weight.data = number(v.centroids.weight.shape)
            high, residual, outlier = v.num_indices, v.enable_residual, v.enable_outlier
            random = lambda count, shape: torch.randint(0, count, shape).to(torch.uint16).view(torch.int16)
            main = random(v.num_centroids, (v.num_codebooks, high, v.group_size))
            rest = random(v.num_res_centroids, main.shape) if residual else None
            if residual:
                v.res_centroids.weight.data = number(v.res_centroids.weight.shape)
            if outlier:
                v.outlier_centroids.weight.data = number(v.outlier_centroids.weight.shape)
                v.outlier_indices.data = random(v.num_outlier_centroids, v.outlier_indices.shape)
            if v.enable_perm:
                v.perm.data = torch.randperm(cols).to(torch.uint16).view(torch.int16)
            if v.enable_norm:
                v.weight_scale.data, v.weight_bias.data = number(cols), number(cols) * 0.1
            bits = lambda n: (n - 1).bit_length()
            if packed:
                v.indices.data = pack_index(main, bits(v.num_centroids), rest, bits(v.num_res_centroids) if residual else 0)
            else:
                v.indices.data = main
            table = lambda e, length: e.weight.data.view(e.weight.shape[0], -1, length)
            values[stem + ".weight"] = dequant(
                indices=v.indices, centroids=table(v.centroids, v.vector_len), outlier_indices=v.outlier_indices,
                outlier_centroids=table(v.outlier_centroids, v.outlier_vector_len) if outlier else None, res_indices=v.res_indices,
                res_centroids=v.res_centroids.weight.data if residual else None, perm=getattr(v, "perm", None), weight_scale=v.weight_scale, weight_bias=v.weight_bias,
                is_indice_packed=packed, enable_outlier=outlier, enable_residual=residual, enable_perm=v.enable_perm, enable_norm=v.enable_norm,
                num_centroids=v.num_centroids, num_outlier_centroids=v.num_outlier_centroids, num_res_centroids=v.num_res_centroids, padding=v.padding,
                outlier_padding=v.outlier_padding, num_codebooks=v.num_codebooks, group_size=v.group_size, outlier_size=v.outlier_size, vector_len=v.vector_len,
                outlier_vector_len=v.outlier_vector_len)
            flat |= {f"{stem}.{k}": t.data for k, t in v.state_dict().items()}
        save(name, flat, {"quant_method": "vptq", "config_for_layers": config}, values)


def bitnet():
    from transformers.integrations.bitnet import pack_weights
    for name, auto in (("bitnet", False), ("bitnet-auto", True)):
        m, flat, values = net(), {}, {}
        for k, v in linears(m).items():
            s = 1.0 / v.weight.detach().abs().mean()
            q = (v.weight.detach() * s).round().clamp(-1, 1) + 0.0  # no negative zeros
            scale = 1.0 / s if auto else s
            values[k + ".weight"] = q * scale if auto else q * (1 / scale)
            flat[k + ".weight"], flat[k + ".weight_scale"] = pack_weights(q.clone()), scale.reshape(1)
        save(name, flat, {"quant_method": "bitnet", "linear_class": "autobitlinear" if auto else "bitlinear"}, values)


for step in (torchao, quanto, hqq, aqlm, vptq, bitnet, marlin):
    if not sys.argv[2:] or step.__name__ in sys.argv[2:]:
        step()
