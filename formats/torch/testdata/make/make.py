"""Makes the checkpoints of this folder with torch itself.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install torch==2.9.1 numpy
    /tmp/v/bin/python make.py .. [STEP…]

Every NAME.pt has NAME.json (names, types, shapes, digest of the logical bytes)
and NAME.f32 (all values in the order of the JSON, as little-endian float32).
Files under refused/ have no values: a reader must refuse them.
"""

import argparse
import collections
import hashlib
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import zipfile

import numpy as np
import torch
from torch import nn

OUT = sys.argv[1]
NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "complex32": "C32", "complex64": "C64", "complex128": "C128",
    "uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ", "float4_e2m1fn_x2": "F4",
}
DTYPES = {getattr(torch, k): v for k, v in NAMES.items() if hasattr(torch, k)}
E2M1 = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]


def raw(t):
    """The values' bytes in row-major order."""
    t = t.detach().contiguous()
    first = t.storage_offset() * t.element_size()
    return bytes(t.untyped_storage())[first : first + t.numel() * t.element_size()]


def floats(t):
    """The values as float32, by torch's own conversions where it has them."""
    t = t.detach().contiguous()
    if DTYPES[t.dtype] == "F4":
        out = []
        for b in raw(t):
            for n in (b & 15, b >> 4):
                out.append(-E2M1[n & 7] if n & 8 else E2M1[n & 7])
        return np.array(out, dtype="<f4")
    if t.dtype == torch.complex32:
        return np.frombuffer(raw(t), dtype="<f2").astype("<f4")
    if t.is_complex():
        return torch.view_as_real(t).to(torch.float32).numpy().astype("<f4").reshape(-1)
    if t.dtype in (torch.uint16, torch.uint32, torch.uint64):
        return t.numpy().astype("<f4").reshape(-1)
    return t.to(torch.float32).numpy().astype("<f4").reshape(-1)


def shape(t):
    s = list(t.shape)
    if DTYPES[t.dtype] == "F4":
        s[-1] *= 2
    return s


def expect(name, tensors, warnings=()):
    rows, values = [], b""
    for key, t in tensors.items():
        rows.append({"name": key, "dtype": DTYPES[t.dtype], "shape": shape(t), "raw_sha256": hashlib.sha256(raw(t)).hexdigest()})
        values += floats(t).tobytes()
    with open(os.path.join(OUT, name + ".json"), "w") as f:
        json.dump({"file": name + ".pt", "tensors": rows, "warnings": list(warnings)}, f, indent=1)
        f.write("\n")
    with open(os.path.join(OUT, name + ".f32"), "wb") as f:
        f.write(values)


def save(obj, name, tensors=None, warnings=(), **kw):
    torch.save(obj, os.path.join(OUT, name + ".pt"), **kw)
    expect(name, obj if tensors is None else tensors, warnings)


def rezip(name, to, method, extra=()):
    """Packs a checkpoint anew, as people do with zip."""
    with zipfile.ZipFile(os.path.join(OUT, name)) as z, zipfile.ZipFile(os.path.join(OUT, to), "w", method) as out:
        for i in z.infolist():
            out.writestr(i.filename, z.read(i))
        for n, b in extra:
            out.writestr(n, b)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.body = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 6, bias=False))
        self.head = nn.Linear(6, 11, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("position_ids", torch.arange(9).expand((1, -1)))


def plain():
    torch.manual_seed(1)
    net = Net()
    save(net.state_dict(), "state-dict")
    for p in (3, 4, 5):
        save(net.state_dict(), f"protocol-{p}", pickle_protocol=p)
    torch.serialization.set_crc32_options(False)
    save(net.state_dict(), "no-crc")
    torch.serialization.set_crc32_options(True)
    rezip("state-dict.pt", "deflated.pt", zipfile.ZIP_DEFLATED)
    expect("deflated", net.state_dict())
    half = Net().half()
    save({k: v for k, v in half.named_parameters()}, "parameters")
    tagged = nn.Parameter(torch.arange(6.0).reshape(2, 3))
    tagged.tensor_parallel = True
    plain = torch.arange(4.0)
    plain.note = {"a": [1, 2.5, None, True, "x", b"y", (1,), {3}]}
    save({"tagged": tagged, "plain": plain, "data": tagged.data, "frozen": nn.Parameter(torch.ones(2), requires_grad=False),
          "buffer": nn.Buffer(torch.ones(3))}, "attributes")


def dtypes():
    g = torch.Generator().manual_seed(2)
    out = {}
    for d, label in DTYPES.items():
        size = torch.empty(0, dtype=d).element_size()
        b = torch.randint(0, 256, (5 * 8 * size,), dtype=torch.uint8, generator=g)
        if label == "BOOL":
            b &= 1
        if label.startswith("F8"):
            b = torch.arange(256, dtype=torch.uint8)
        out[label] = b.view(d).reshape(-1, 8)
    out["BF16"][0, 0] = float("-inf")
    save(out, "dtypes")


def views():
    base = torch.arange(60.0).reshape(3, 4, 5)
    big = torch.arange(0, 48, dtype=torch.int64).reshape(6, 8) * 2**40 + 1
    f8 = torch.arange(64, dtype=torch.uint8).reshape(8, 8).view(torch.float8_e4m3fn)
    deep = torch.arange(2 * 3 * 2 * 3 * 2, dtype=torch.float64).reshape(2, 3, 2, 3, 2) / 7
    long = torch.randn(3, 7001, generator=torch.Generator().manual_seed(3)).to(torch.bfloat16)[:, :2011]
    save({
        "base": base, "same": base, "flat": base.view(12, 5), "slice": base[1:], "row": base[1, 2], "value": base[2, 3, 4],
        "transposed": base.view(12, 5).t(), "permuted": base.permute(2, 0, 1), "swapped": base.transpose(0, 1),
        "columns": base.view(12, 5)[:, 1:4], "stepped": base.view(-1)[3::7], "stepped-2d": base.view(12, 5)[1::3, ::2],
        "diagonal": base.view(12, 5).diagonal(), "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 9),
        "windows": torch.arange(10.0).unfold(0, 4, 2), "strided": base.as_strided((3, 4), (1, 2), 5),
        "empty": base[3:], "empty-2": torch.empty(0, 7), "scalar": torch.tensor(3.5), "ones": base[:1, :1, :1].transpose(0, 2),
        "int64-transposed": big.t(), "bf16-columns": long, "bf16-transposed": long[:, 5:1200:17].t(), "f8-transposed": f8.t(),
        "f64-permuted": deep.permute(3, 1, 4, 0, 2), "c64-transposed": torch.view_as_complex(base.view(-1)[:48].reshape(4, 6, 2).clone()).t(),
        "channels-last": torch.arange(120.0).reshape(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "bool-transposed": (base.view(12, 5) > 20).t(), "f16-flat": torch.arange(24.0).half().view(4, 6)[:, ::5],
    }, "views")


def nested():
    torch.manual_seed(4)
    net = nn.Sequential(collections.OrderedDict(a=nn.Linear(3, 4), b=nn.Linear(4, 2)))
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
    net(torch.randn(5, 3)).sum().backward()
    opt.step()
    state = net.state_dict()
    save({"epoch": 3, "arch": "tiny", "model": state, "optimizer": opt.state_dict(), "scaler": {}, "best": float("inf"),
          "args": argparse.Namespace(lr=0.1, layers=[1, 2], name="x"), "losses": [0.5, 0.25], "rng_state": torch.get_rng_state()[:32],
          "numpy": np.float64(0.125), "random": np.arange(3.0), "big": 2**70, "size": torch.Size([2, 3]), "device": torch.device("cpu"),
          "kind": torch.bfloat16, "counts": collections.Counter("abba"), "default": collections.defaultdict(list, {"q": [1]})},
         "training", state)
    save({"state_dict": {"net." + k: v for k, v in state.items()}, "pytorch-lightning_version": "2.1.0", "global_step": 7,
          "hyper_parameters": {"lr": 1e-3}, "optimizer_states": [opt.state_dict()], "loops": {"fit_loop": {"state_dict": {}}}},
         "lightning", {"net." + k: v for k, v in state.items()})
    save({"module": {"_orig_mod.module." + k: v for k, v in state.items()}, "ds_version": "0.9"}, "wrapped", state)
    tree = {"model": {"language_model": {"embedding": {"weight": torch.ones(2, 2)}, "layers": {0: {"w": torch.zeros(3)}, 1: {"w": torch.ones(3)}}}},
            "iteration": 12, "optimizer": {"exp_avg": {"w": torch.zeros(1)}}}
    save(tree, "tree", {"language_model.embedding.weight": torch.ones(2, 2), "language_model.layers.0.w": torch.zeros(3), "language_model.layers.1.w": torch.ones(3)})
    save({"generator": state, "discriminator": {"w": torch.ones(2)}, "lists": [torch.ones(1), [torch.zeros(2)]]}, "several",
         {**{"generator." + k: v for k, v in state.items()}, "discriminator.w": torch.ones(2), "lists.0": torch.ones(1), "lists.1.0": torch.zeros(2)})


def sharded():
    torch.manual_seed(5)
    folder = os.path.join(OUT, "sharded")
    os.makedirs(folder, exist_ok=True)
    state = {f"layers.{i}.weight": torch.randn(4, 3) for i in range(4)}
    state["mask"] = torch.ones(3, 3, dtype=torch.bool)
    names, index = list(state), {}
    for i, part in enumerate((names[:2], names[2:])):
        file = f"pytorch_model-{i + 1:05d}-of-00002.bin"
        torch.save({n: state[n] for n in part}, os.path.join(folder, file))
        index.update({n: file for n in part})
    with open(os.path.join(folder, "pytorch_model.bin.index.json"), "w") as f:
        json.dump({"metadata": {"total_size": 4 * 48 + 1.125}, "weight_map": index}, f, indent=2)
    expect("sharded", state)
    os.rename(os.path.join(OUT, "sharded.json"), os.path.join(folder, "expected.json"))
    os.rename(os.path.join(OUT, "sharded.f32"), os.path.join(folder, "expected.f32"))


def legacy_tar(path):
    """The layout of torch 0.1: a tar of pickles and raw storages."""
    def member(t, name, b):
        info = tarfile.TarInfo(name)
        info.size = len(b)
        t.addfile(info, io.BytesIO(b))
    values = struct.pack("<4f", 1, 2, 3, 4)
    storages = pickle.dumps(1, 2) + pickle.dumps((0, "cpu", torch.FloatStorage), 2) + struct.pack("<q", 4) + values + pickle.dumps([], 2)
    tensors = pickle.dumps(1, 2) + pickle.dumps((1, 0, torch.FloatTensor), 2) + struct.pack("<i4x2q2qq", 2, 2, 2, 2, 1, 0)

    class P(pickle.Pickler):
        def persistent_id(self, o):
            return o.key if isinstance(o, Key) else None
    b = io.BytesIO()
    p = P(b, 2)
    p.dump({"w": Key("1")})
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as t:
        member(t, "sys_info", pickle.dumps({"protocol_version": 1000, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}, 2))
        member(t, "pickle", b.getvalue())
        member(t, "storages", storages)
        member(t, "tensors", tensors)
    assert torch.equal(torch.load(path, weights_only=False)["w"], torch.tensor([[1.0, 2], [3, 4]]))


class Key:
    def __init__(self, key):
        self.key = key


def refused():
    folder = os.path.join(OUT, "refused")
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(6)
    net = nn.Linear(2, 2)

    def put(name, obj, **kw):
        torch.save(obj, os.path.join(folder, name + ".pt"), **kw)
    put("sparse", {"w": torch.eye(3).to_sparse()})
    put("sparse-csr", {"w": torch.eye(3).to_sparse_csr()})
    put("quantised", {"w": torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.qint8)})
    put("conjugated", {"w": torch.view_as_complex(torch.ones(3, 2)).conj()})
    put("negated", {"w": torch.view_as_complex(torch.ones(3, 2)).conj().imag})
    put("meta", {"w": torch.empty(3, device="meta")})
    put("several-models", ({"w": torch.ones(3)}, {"w": torch.zeros(3)}))
    put("no-tensors", {"epoch": 1, "state": {}})
    put("wide-expansion", {"w": torch.ones(1).expand(1 << 16, 1 << 16)})
    with open(os.path.join(folder, "pickle.pt"), "wb") as f:
        pickle.dump({"a": 1}, f, 4)


class Setting:
    """A class that no reader knows."""

    def __init__(self, **kw):
        self.__dict__.update(kw)


class Settings(dict):
    pass


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 3)
        self.norm = nn.BatchNorm1d(3)
        self.tied = nn.Linear(3, 3)
        self.again = self.tied
        self.register_buffer("passing", torch.ones(2), persistent=False)
        self.sizes = [1, 2]

    def forward(self, x):
        return self.again(self.tied(self.norm(self.conv(x)).transpose(1, 2)))


def frozen_constants(path):
    """The tensors of a program's constants, as torch's own unpickler gives them."""
    import torch.jit._pickle  # noqa: F401
    reader = torch._C.PyTorchFileReader(path)

    class U(pickle.Unpickler):
        def persistent_load(self, v):
            _, typ, key, _, n = v
            b = reader.get_record("constants/" + key)
            return torch.storage.TypedStorage(wrap_storage=torch.frombuffer(bytearray(b), dtype=torch.uint8).untyped_storage(), dtype=typ.dtype, _internal=True)
    values = U(io.BytesIO(reader.get_record("constants.pkl"))).load()
    return {f"constants.{i}": t for i, t in enumerate(values)}


def older():
    """Chains of pickles, tar archives, programs, modules, objects beside the model."""
    torch.manual_seed(7)
    net = Net()
    state = net.state_dict()
    base = torch.arange(30.0).reshape(5, 6)
    chained = {**state, "view": base[1:, 2:], "again": base, "half": torch.arange(5.0).half(), "empty": torch.empty(0, 3), "long": torch.arange(4) * 2**40}
    save(chained, "chain", _use_new_zipfile_serialization=False)
    save(chained, "chain-protocol-4", _use_new_zipfile_serialization=False, pickle_protocol=4)
    save({"epoch": 3, "state_dict": state, "settings": Setting(a=1, b=Settings(c=[Setting()]))}, "chain-objects", state, _use_new_zipfile_serialization=False)
    legacy_tar(os.path.join(OUT, "tar.pt"))
    expect("tar", {"w": torch.tensor([[1.0, 2], [3, 4]])})
    scripted = Scripted().eval()
    torch.jit.save(torch.jit.script(scripted), os.path.join(OUT, "script.pt"))
    with_passing = {**scripted.state_dict(), "passing": scripted.passing}
    expect("script", with_passing)
    program = torch.jit.freeze(torch.jit.script(scripted), optimize_numerics=False)
    torch.jit.save(program, os.path.join(OUT, "script-frozen.pt"))
    expect("script-frozen", frozen_constants(os.path.join(OUT, "script-frozen.pt")))
    torch.save(scripted, os.path.join(OUT, "module.pt"))
    expect("module", scripted.state_dict())
    torch.save({"model": scripted, "epoch": 2, "optimizer": None}, os.path.join(OUT, "module-wrapped.pt"))
    expect("module-wrapped", scripted.state_dict())
    mixed = {"settings": Setting(values=torch.ones(3)), "state_dict": state, "hyper_parameters": Settings(lr=0.1, act=nn.ReLU()), "callbacks": {Setting: 1}}
    save(mixed, "objects", state)
    save(mixed, "objects-protocol-4", state, pickle_protocol=4)
    inner = io.BytesIO()
    torch.save(state, inner)
    with tarfile.open(os.path.join(OUT, "nemo.pt"), "w") as t:
        for name, b in (("./model_config.yaml", b"target: x\n"), ("./model_weights.ckpt", inner.getvalue())):
            info = tarfile.TarInfo(name)
            info.size = len(b)
            t.addfile(info, io.BytesIO(b))
    expect("nemo", state)
    put = lambda name, obj: torch.save(obj, os.path.join(OUT, "refused", name + ".pt"))
    put("object-in-model", {"state_dict": {"w": torch.ones(2), "x": Setting(v=torch.ones(1))}})
    put("dict-of-unknown-class", {"state_dict": Settings(w=torch.ones(2))})
    put("subclass", {"w": torch.ones(2).as_subclass(Own)})


class Own(torch.Tensor):
    pass


def rank(i, n, folder):
    """One of the processes of a distributed run."""
    import torch.distributed as dist
    import torch.distributed.checkpoint as dcp
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
    dist.init_process_group("gloo", rank=i, world_size=n)
    mesh = init_device_mesh("cpu", (2, 2))
    state = {}
    for k, t in whole_state().items():
        if t.dim() == 0:
            state[k] = t
            continue
        places = {"rows": [Shard(0), Replicate()], "columns": [Replicate(), Shard(1)], "both": [Shard(0), Shard(1)], "middle": [Shard(1), Shard(2)]}.get(k.split(".")[0], [Replicate(), Replicate()])
        state[k] = distribute_tensor(t, mesh, places)
    dcp.save({"model": state, "optimizer": {"step": 3, "exp": torch.ones(2)}, "epoch": 2}, checkpoint_id=folder)
    dist.destroy_process_group()


def whole_state():
    g = torch.Generator().manual_seed(8)
    return {"rows.w": torch.randn(7, 3, generator=g), "rows.v": torch.arange(9.0).half(), "columns.w": torch.randn(4, 5, generator=g).bfloat16(),
            "both.w": torch.randn(5, 7, generator=g, dtype=torch.float64), "middle.w": torch.arange(3 * 5 * 4).reshape(3, 5, 4), "same": torch.ones(3), "value": torch.tensor(2.5)}


def distributed():
    folder = os.path.join(OUT, "distributed")
    torch.multiprocessing.spawn(rank, (4, folder), nprocs=4)
    expect("distributed", whole_state())
    os.rename(os.path.join(OUT, "distributed.json"), os.path.join(folder, "expected.json"))
    os.rename(os.path.join(OUT, "distributed.f32"), os.path.join(folder, "expected.f32"))


def traced():
    """A module that torch.fx traced, pickled whole."""
    torch.manual_seed(12)
    m = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3, bias=False)).eval()
    graph = torch.fx.symbolic_trace(m)
    torch.save(graph, os.path.join(OUT, "traced.pt"))
    expect("traced", graph.state_dict())


def zero3():
    """The files of three ranks of ZeRO's stage 3, as DeepSpeed lays them out, and what
    its own zero_to_fp32.py (given by the environment variable ZERO_TO_FP32) makes of them."""
    import importlib.util
    import math
    import types

    ranks, folder = 3, os.path.join(OUT, "zero3")
    step = os.path.join(folder, "global_step4")
    os.makedirs(step, exist_ok=True)
    g = torch.Generator().manual_seed(21)
    shapes = [{"embed.weight": (7, 5), "layers.0.q.weight": (5, 5), "layers.0.norm.weight": (5,), "scalar": ()}, {"layers.1.q.weight": (4, 3), "head.bias": (2,)}]
    frozen = {"tower.weight": (3, 4), "tower.bias": (1,)}
    draw = lambda s: torch.randn(s, generator=g)
    weights = {k: draw(s) for d in shapes for k, s in d.items()}
    fixed = {k: draw(s).bfloat16() for k, s in frozen.items()}
    buffer = draw((6,))

    def share(t, r):
        n = math.ceil(t.numel() / ranks)
        return torch.cat([t.reshape(-1), torch.zeros(n * ranks - t.numel(), dtype=t.dtype)])[n * r : n * (r + 1)].clone()

    for r in range(ranks):
        flat = torch.cat([share(weights[k], r) for d in shapes for k in d])
        groups = [flat[:21].clone(), flat[21:].clone()]  # cut between two parameters, not where param_shapes is
        torch.save({
            "module": {**{k: torch.empty(0, dtype=torch.bfloat16) for k in weights}, "rope.inv_freq": buffer},
            "buffer_names": ["rope.inv_freq"],
            "optimizer": None, "param_shapes": [{k: torch.Size(s) for k, s in d.items()} for d in shapes],
            "frozen_param_shapes": {k: torch.Size(s) for k, s in frozen.items()},
            "frozen_param_fragments": {k: share(v, r) for k, v in fixed.items()},
            "shared_params": {"head.weight": "embed.weight"}, "ds_version": "0.17.0", "ds_config": {}, "global_steps": 4,
        }, os.path.join(step, f"zero_pp_rank_{r}_mp_rank_00_model_states.pt"))
        torch.save({"optimizer_state_dict": {
            "zero_stage": 3, "loss_scaler": None, "dynamic_loss_scale": False, "overflow": False, "partition_count": ranks,
            "optimizer_state_dict": {"state": {0: {"step": 4.0, "exp_avg": torch.ones(flat.numel())}}}, "fp32_flat_groups": groups,
        }, "ds_version": "0.17.0"}, os.path.join(step, f"bf16_zero_pp_rank_{r}_mp_rank_00_optim_states.pt"))
    with open(os.path.join(folder, "latest"), "w") as f:
        f.write("global_step4")
    names = ["DS_VERSION", "OPTIMIZER_STATE_DICT", "SINGLE_PARTITION_OF_FP32_GROUPS", "FP32_FLAT_GROUPS", "ZERO_STAGE", "PARTITION_COUNT", "PARAM_SHAPES", "BUFFER_NAMES", "FROZEN_PARAM_SHAPES", "FROZEN_PARAM_FRAGMENTS", "AUTOEP_LAYERS_KEY", "AUTOEP_LAYERS_KEY_LEGACY", "AUTOEP_ZERO3_EXPERT_STATE_FORMAT_KEY", "AUTOEP_ZERO3_PARTITIONED_EXPERT_STATE_FORMAT"]
    for name, content in [("deepspeed", {}), ("deepspeed.utils", {"logger": None}), ("deepspeed.checkpoint", {}), ("deepspeed.checkpoint.constants", {n: n.lower() for n in names}), ("tqdm", {"tqdm": lambda x, **_: x})]:
        sys.modules.setdefault(name, types.ModuleType(name)).__dict__.update(content)
    spec = importlib.util.spec_from_file_location("zero_to_fp32", os.environ["ZERO_TO_FP32"])
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    state = reference.get_fp32_state_dict_from_zero_checkpoint(folder)
    assert all(torch.equal(state[k], v) for k, v in {**weights, **fixed}.items())
    expect("zero3", state)
    os.rename(os.path.join(OUT, "zero3.json"), os.path.join(folder, "expected.json"))
    os.rename(os.path.join(OUT, "zero3.f32"), os.path.join(folder, "expected.f32"))


def package():
    """Archives of torch.package: a program alone, and one beside a pickle."""
    from torch.package import PackageExporter, package_exporter

    package_exporter._gate_torchscript_serialization = False

    torch.manual_seed(13)
    scripted = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)))
    with PackageExporter(os.path.join(OUT, "package.pt")) as e:
        e.save_pickle("models", "net", {"net": scripted, "labels": ["a", "b"]})
    expect("package", scripted.state_dict())
    plain = {"a.weight": torch.randn(3, 5), "a.bias": torch.arange(3.0).half()}
    with PackageExporter(os.path.join(OUT, "package-both.pt")) as e:
        e.save_text("models", "readme.txt", "no pickle")
        e.save_pickle("models", "plain.pkl", {"state_dict": plain, "net": scripted})
    expect("package-both", {**{"0." + k: v for k, v in scripted.state_dict().items()}, **{"models.plain.pkl." + k: v for k, v in plain.items()}})


class Exported(nn.Module):
    """Parameters of two types, one of them tied, one a transposed view of a part of its storage; a
    buffer that is not saved, and a tensor that is no buffer."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.tied = nn.Linear(5, 4), nn.Linear(4, 4).bfloat16(), nn.Linear(4, 4).bfloat16()
        self.tied.weight = self.b.weight
        self.view = nn.Parameter(torch.randn(7, 4).T[:, 1:6])
        self.register_buffer("count", torch.tensor(3))
        self.register_buffer("rate", torch.randn(3).double(), persistent=False)
        self.fixed = torch.randn(2, 4).half()

    def forward(self, x):
        y = self.tied(self.b(self.a(x).bfloat16())).float() @ self.view
        return y * self.rate.sum().float() + self.fixed.float().sum() + self.count


def exported():
    """A program of torch.export, as this version of torch writes it (made with 2.7.1, 2.8.0 and 2.9.1)."""
    torch.manual_seed(14)
    net = Exported()
    name = "exported-" + ".".join(torch.__version__.split(".")[:2])
    program = torch.export.export(net, (torch.randn(2, 5),))
    torch.export.save(program, os.path.join(OUT, "tmp.pt2"))
    os.rename(os.path.join(OUT, "tmp.pt2"), os.path.join(OUT, name + ".pt"))
    back = torch.export.load(os.path.join(OUT, name + ".pt"))
    expect(name, {**back.state_dict, **{k: v for k, v in back.constants.items() if isinstance(v, torch.Tensor)}})


def unnamed():
    """Checkpoints without names: one tensor, a list of tensors, a pair of a model and its optimiser's state."""
    torch.manual_seed(15)
    t = torch.randn(6, 4)
    save(t.T, "lone", {"tensor": t.T})
    save([t[:2], 5, t[2:].half()], "listed", {"0": t[:2], "2": t[2:].half()})
    net = nn.Linear(3, 2)
    opt = torch.optim.Adam(net.parameters())
    net(torch.ones(3)).sum().backward()
    opt.step()
    save((net.state_dict(), opt.state_dict()), "with-optimiser", net.state_dict())


steps = {f.__name__: f for f in (plain, dtypes, views, nested, sharded, refused, older, distributed, traced, zero3, package, exported, unnamed)}
if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[2:] or steps:
        steps[name]()
