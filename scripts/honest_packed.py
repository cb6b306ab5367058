#!/usr/bin/env python3
"""Makes a population of honest packed files for `weightprint faithful`: layouts with options drawn by a seed, of models that are
drawn too, and counts what it says of them.

    pip install torch safetensors bitsandbytes hqq compressed-tensors 'mlx[cpu]' optimum-quanto 'torchao>=0.15' onnx onnxruntime
    python honest_packed.py make  OUT MODEL… --files 216 --seed 1   # MODEL: a folder with model.safetensors and config.json
    python honest_packed.py judge OUT --bin weightprint

Besides the layouts of quantisers.py with other options there are GPTQ with its corrections in both orders of columns (written
down here in NumPy, by a Hessian of correlated inputs), AWQ's layout, torchao's own files and ONNX Runtime's dynamic int8. Every
third model is not one of the folders but drawn: wide, of heavy tails, with columns of many sizes, rows of zeros and constants."""
import argparse, collections, json, os, subprocess, sys
import numpy as np
import quantisers as q


def corrected(size, symmetric, ordered, r):
    """GPTQ (Frantar et al. 2022): columns are rounded one after the other, and the others take up the error."""
    def pack(stem, w):
        import torch
        x = w.float().numpy().astype(np.float64)
        n, d = x.shape
        inputs = r.normal(size=(4 * d, d)) @ (np.eye(d) + .3 * r.normal(size=(d, d)) / np.sqrt(d)) * np.exp(r.normal(0, .5, d))
        h = inputs.T @ inputs / len(inputs)
        h[np.diag_indices(d)] += .01 * np.mean(np.diag(h))
        order = np.argsort(-np.diag(h), kind='stable') if ordered else np.arange(d)
        up = np.linalg.cholesky(np.linalg.inv(h[np.ix_(order, order)])).T
        x = x[:, order].copy()
        codes, group = np.zeros((n, d), np.uint32), np.zeros(d, np.int32)
        scales, zeros = np.zeros((n, d // size), np.float32), np.zeros((n, d // size), np.float32)
        for j in range(d):
            g = j // size
            if j % size == 0:
                part = x[:, j:j + size].astype(np.float32)
                lo, hi = q.ends(part.min(1), part.max(1), symmetric)
                scales[:, g] = np.maximum((hi - lo) / np.float32(15), np.float32(1e-8))
                zeros[:, g] = 8 if symmetric else np.round(-lo / scales[:, g])
            s, z = scales[:, g], zeros[:, g]
            c = np.clip(np.round(x[:, j] / s) + z, 0, 15)
            codes[:, order[j]], group[order[j]] = c, g
            x[:, j:] -= np.outer((x[:, j] - s * (c - z)) / up[j, j], up[j, j:])
        t = {f'{stem}.qweight': q.words(codes.T.reshape(d // 8, 8, n).transpose(0, 2, 1), 4)[..., 0], f'{stem}.qzeros': q.words((zeros.astype(np.uint32) - 1 & 15).T, 4),
             f'{stem}.scales': scales.T.astype(np.float16), f'{stem}.g_idx': group}
        return {k: torch.from_numpy(np.ascontiguousarray(v).view(np.int32) if v.dtype == np.uint32 else np.ascontiguousarray(v)) for k, v in t.items()}, None
    return {'quant_method': 'gptq', 'bits': 4, 'group_size': size, 'desc_act': ordered, 'sym': symmetric, 'checkpoint_format': 'gptq'}, pack


def awq(size):
    def pack(stem, w):
        import torch
        x = w.float().numpy().reshape(w.shape[0], -1, size)
        lo, hi = x.min(-1), x.max(-1)
        scale = (np.maximum(hi - lo, np.float32(1e-5)) / np.float32(15)).astype(np.float16)
        zero = np.clip(-np.round(lo / scale.astype(np.float32)), 0, 15)
        codes = np.clip(np.round(x / scale.astype(np.float32)[..., None]) + zero[..., None], 0, 15).astype(np.uint32).reshape(w.shape[0], -1)
        lay = lambda c: q.words(c.reshape(*c.shape[:-1], -1, 8)[..., [0, 2, 4, 6, 1, 3, 5, 7]].reshape(c.shape), 4)
        t = {f'{stem}.qweight': lay(codes.T), f'{stem}.qzeros': lay(zero.astype(np.uint32).T), f'{stem}.scales': scale.T}
        return {k: torch.from_numpy(np.ascontiguousarray(v).view(np.int32) if v.dtype == np.uint32 else np.ascontiguousarray(v)) for k, v in t.items()}, None
    return {'quant_method': 'awq', 'bits': 4, 'group_size': size, 'zero_point': True, 'version': 'gemm'}, pack


def quanto(kind):
    def pack(stem, w):
        from optimum import quanto
        t = getattr(quanto, kind)
        x = quanto.quantize_weight(w, t, 0, scale=quanto.AbsmaxOptimizer()(w, t, 0))
        return {f'{stem}.weight._data': x._data, f'{stem}.weight._scale': x._scale}, None
    return {'quant_method': 'quanto', 'weights': kind}, pack


def drawn(at, r):
    """a model that no folder has, 256 wide"""
    import torch
    from safetensors.torch import save_file
    kind = ['heavy', 'columns', 'pruned', 'normal'][int(r.integers(4))]
    def matrix(n, d):
        x = r.standard_t(3, (n, d)) if kind == 'heavy' else r.normal(size=(n, d))
        if kind == 'columns': x *= np.exp(r.normal(0, 1.5, d))
        if kind == 'pruned': x *= r.random((n, d)) < .5; x[::17] = 0; x[1::17, :128] = .5
        return torch.from_numpy((.04 * x).astype(np.float32)).to(torch.bfloat16 if r.integers(2) else torch.float32)
    t = {'model.embed_tokens.weight': matrix(320, 256), 'lm_head.weight': matrix(320, 256), 'model.norm.weight': torch.ones(256)}
    for i in range(2):
        for n, s in (('self_attn.q_proj', (256, 256)), ('self_attn.k_proj', (128, 256)), ('self_attn.v_proj', (128, 256)), ('self_attn.o_proj', (256, 256)), ('mlp.gate_proj', (512, 256)), ('mlp.up_proj', (512, 256)), ('mlp.down_proj', (256, 512))):
            t[f'model.layers.{i}.{n}.weight'] = matrix(*s)
        for n in ('input_layernorm', 'post_attention_layernorm'): t[f'model.layers.{i}.{n}.weight'] = torch.ones(256)
    os.makedirs(at)
    save_file(t, at + '/model.safetensors')
    json.dump(dict(architectures=['LlamaForCausalLM'], model_type='llama', hidden_size=256, intermediate_size=512, num_attention_heads=4, num_key_value_heads=2, head_dim=64, num_hidden_layers=2, vocab_size=320, tie_word_embeddings=False, hidden_act='silu', rms_norm_eps=1e-5, rope_theta=10000., max_position_embeddings=512), open(at + '/config.json', 'w'))


def layouts(r, wide):
    """one of each kind, its options drawn; groups are as long as the model's narrowest matrix allows"""
    one = lambda *x: x[int(r.integers(len(x)))]
    size = lambda: one(32, 64, 128) if wide else 32
    half = lambda: one('bfloat16', 'float16')
    yield 'bnb', q.bnb(one('nf4', 'fp4'), bool(r.integers(2)), one('bfloat16', 'float16', 'float32'))
    yield 'bnb-int8', q.bnb8()
    yield 'hqq', q.hqq(one(8, 4, 2), size(), one('bfloat16', 'float16', 'float32'))
    yield 'ct-sym', q.compressed(one(4, 8), size(), True, one('bfloat16', 'float16', 'float32'))
    yield 'ct-asym', q.compressed(one(4, 8), size(), False, half())
    yield 'ct-nvfp4', q.compressed_nvfp4()
    yield 'fp8', q.fp8(one('row', 'block'))
    yield 'mlx', q.mlx(one(2, 3, 4, 5, 6, 8), one(32, 64, 128) if wide else 32, one('bfloat16', 'float16', 'float32'))
    yield 'mlx-float', q.mlx(*one((4, 32, 'bfloat16', 'mxfp4'), (4, 16, 'bfloat16', 'nvfp4'), (8, 32, 'bfloat16', 'mxfp8')))
    yield 'mlx-rule', q.mlx_rule(one(2, 4, 8), size(), one('bfloat16', 'float16', 'float32'))
    yield 'quanto', quanto(one('qint8', 'qfloat8'))
    yield 'gptq', q.gptq(size(), bool(r.integers(2)))
    yield 'gptq-corrected', corrected(size(), bool(r.integers(2)), bool(r.integers(2)), r)
    yield 'awq', awq(size())
    yield 'torchao', one('float8', 'int8')
    yield 'onnx', (bool(r.integers(2)), one('QInt8', 'QUInt8'))


def by_layer(at, source, model, layout):
    config, pack = layout
    whole = {}
    for k, w in source.items():
        whole.update(pack(k[:-7], w)[0] if w.dim() == 2 and '.layers.' in k else {k: w})
    q.save(os.path.dirname(at), os.path.basename(at), config, whole, model)


def torchao(at, source, model, kind):
    import torch
    from safetensors.torch import save_file
    from torchao.quantization import quantize_, Float8WeightOnlyConfig, Int8WeightOnlyConfig
    from torchao.prototype.safetensors.safetensors_support import flatten_tensor_state_dict
    whole = {}
    for k, w in source.items():
        whole[k] = w
        if w.dim() != 2 or '.layers.' not in k: continue
        l = torch.nn.Linear(w.shape[1], w.shape[0], bias=False, dtype=torch.bfloat16)
        l.weight.data = w.to(torch.bfloat16)
        quantize_(l, Float8WeightOnlyConfig() if kind == 'float8' else Int8WeightOnlyConfig(version=2))
        whole[k] = l.weight
    flat, meta = flatten_tensor_state_dict(whole)
    os.makedirs(at)
    save_file({k: v.contiguous() for k, v in flat.items()}, at + '/model.safetensors', metadata=meta)
    c = json.load(open(model + '/config.json')); c['quantization_config'] = {'quant_method': 'torchao'}
    json.dump(c, open(at + '/config.json', 'w'))


def onnx(at, source, layout):
    """products with all matrices, each of an input of its own, quantised by ONNX Runtime"""
    import onnx as o
    from onnxruntime.quantization import quantize_dynamic, QuantType
    per, kind = layout
    nodes, inputs, outputs, weights = [], [], [], []
    for k, w in source.items():
        if w.dim() != 2 or '.layers.' not in k: continue
        n = k[:-7]
        weights.append(o.numpy_helper.from_array(np.ascontiguousarray(w.float().numpy().T), k))
        inputs.append(o.helper.make_tensor_value_info(n + '.x', 1, ['n', w.shape[1]])); outputs.append(o.helper.make_tensor_value_info(n + '.y', 1, ['n', w.shape[0]]))
        nodes.append(o.helper.make_node('MatMul', [n + '.x', k], [n + '.y'], name=n))
    m = o.helper.make_model(o.helper.make_graph(nodes, 'products', inputs, outputs, weights), opset_imports=[o.helper.make_opsetid('', 17)], ir_version=8)
    os.makedirs(at)
    o.save(m, at + '/source.onnx')
    quantize_dynamic(at + '/source.onnx', at + '/model.onnx', per_channel=per, weight_type=getattr(QuantType, kind))
    return at + '/model.onnx', at + '/source.onnx'


def make(out, models, files, seed):
    import torch
    from safetensors.torch import load_file
    torch.set_num_threads(1)
    r = np.random.default_rng([seed, 0x9ac])
    jobs, n, missing = [], 0, collections.Counter()
    while len(jobs) < files:
        wide = n % 3 == 2
        model = os.path.abspath(f'{out}/drawn-{n}') if wide else os.path.abspath(models[int(r.integers(len(models)))])
        if wide: drawn(model, r)
        source = load_file(model + '/model.safetensors')
        for kind, layout in layouts(r, wide):
            if len(jobs) == files or missing[kind] > 1: continue
            at = os.path.abspath(f'{out}/{n:03d}-{kind}')
            try:
                job = [at, model]
                if kind == 'onnx': job = onnx(at, source, layout)
                elif kind == 'torchao': torchao(at, source, model, layout)
                else: by_layer(at, source, model, layout)
                jobs.append([kind, *job])
            except Exception as e:
                missing[kind] += 1
                print('not made:', kind, repr(e)[:300], flush=True)
        n += 1
        json.dump(jobs, open(out + '/jobs.json', 'w'))
        print(n, 'models', len(jobs), 'files', flush=True)


def judge(out, exe):
    count, blocks = collections.defaultdict(collections.Counter), collections.Counter()
    for kind, at, source in json.load(open(out + '/jobs.json')):
        p = subprocess.run([exe, 'faithful', at, source, '--json'], capture_output=True, text=True)
        j = json.loads(p.stdout) if p.stdout.startswith('{') else {'verdict': 'failed', 'blocks': {}}
        count[kind][j['verdict']] += 1
        blocks.update(j['blocks'])
        if j['verdict'] in ('deviates', 'failed'): print(j['verdict'], kind, at, source, p.stderr.strip()[:200], flush=True)
    for kind, x in count.items(): print(kind, dict(x))
    print(sum(sum(x.values()) for x in count.values()), 'files', dict(sum(count.values(), collections.Counter())), dict(blocks))
    return int(any(x['deviates'] + x['failed'] for x in count.values()))


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('what', choices=['make', 'judge']); p.add_argument('out'); p.add_argument('models', nargs='*')
    p.add_argument('--files', type=int, default=216); p.add_argument('--seed', type=int, default=1); p.add_argument('--bin', default='weightprint')
    o = p.parse_args()
    os.makedirs(o.out, exist_ok=True)
    sys.exit(make(o.out, o.models, o.files, o.seed) if o.what == 'make' else judge(o.out, o.bin))
