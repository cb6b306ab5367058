#!/usr/bin/env python3
"""Quantises a model with the packages that people quantise with, poisons some of the files, and holds what
`weightprint faithful` says of each against what was done.

    pip install torch safetensors bitsandbytes hqq compressed-tensors 'mlx[cpu]'
    python quantisers.py make  OUT MODEL            # MODEL: a folder with model.safetensors and config.json
    python quantisers.py judge OUT MODEL --bin weightprint [--table FILE]

Every matrix of a layer is quantised, by bitsandbytes, HQQ, compressed-tensors and MLX as these packages do it, and by rules of
other quantisers written down here in NumPy (round-to-nearest GPTQ, FP8), which need a GPU. A poison changes one in a hundred blocks of every matrix: a code by one step, a scale by one per cent, a
zero-point by one step, or a block's codes and numbers are another's."""
import argparse, json, os, shutil, subprocess, sys
import numpy as np

POISONS = ['code', 'scale', 'zero', 'block']


def save(out, name, config, tensors, model):
    from safetensors.torch import save_file
    at = os.path.join(out, name)
    shutil.rmtree(at, ignore_errors=True)
    os.makedirs(at)
    save_file({k: v.contiguous() for k, v in tensors.items()}, os.path.join(at, 'model.safetensors'))
    c = json.load(open(os.path.join(model, 'config.json')))
    c['quantization_config'] = config
    json.dump(c, open(os.path.join(at, 'config.json'), 'w'))


# Every layout gives the tensors of one matrix, and says where a block's codes, scale and zero-point lie, so that
# poisons know: (name, dtype in NumPy, array of shape blocks x something, bits of a code).
def bnb(kind, nested, dtype):
    def pack(stem, w):
        import torch, bitsandbytes.functional as F
        q, st = F.quantize_4bit(w.to(getattr(torch, dtype)), quant_type=kind, blocksize=64, compress_statistics=nested)
        t = {f'{stem}.weight': q}
        for k, v in st.as_dict(packed=True).items(): t[f'{stem}.weight.{k}'] = v
        return t, {'codes': ('.weight', 'row', 32, 4), 'scale': '.weight.absmax'}
    config = {'quant_method': 'bitsandbytes', 'load_in_4bit': True, 'bnb_4bit_quant_type': kind, 'bnb_4bit_use_double_quant': nested}
    return config, pack


def bnb8():
    def pack(stem, w):
        import torch, bitsandbytes.functional as F
        q, s, _ = F.int8_vectorwise_quant(w.to(torch.float16))
        return {f'{stem}.weight': q, f'{stem}.SCB': s.float()}, {'codes': ('.weight', 'row', w.shape[1], 8), 'scale': '.SCB'}
    return {'quant_method': 'bitsandbytes', 'load_in_8bit': True}, pack


def hqq(bits, size, dtype):
    def pack(stem, w):
        import torch
        from hqq.core.quantize import BaseQuantizeConfig, HQQLinear
        l = torch.nn.Linear(w.shape[1], w.shape[0], bias=False)
        l.weight.data = w.clone().float()
        h = HQQLinear(l, BaseQuantizeConfig(nbits=bits, group_size=size, axis=1), compute_dtype=getattr(torch, dtype), device='cpu')
        t = {f'{stem}.{k}': v for k, v in h.state_dict().items() if v is not None}
        return t, {'codes': ('.W_q', 'plane', None, bits), 'scale': '.scale', 'zero': '.zero'}
    return {'quant_method': 'hqq'}, pack


def compressed(bits, size, symmetric, dtype):
    def pack(stem, w):
        import torch
        from compressed_tensors.quantization import QuantizationArgs
        from compressed_tensors.quantization.utils import calculate_qparams
        from compressed_tensors.quantization.lifecycle.forward import quantize
        from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
        w = w.to(getattr(torch, dtype))
        args = QuantizationArgs(num_bits=bits, symmetric=symmetric, strategy='group', group_size=size)
        g = w.reshape(w.shape[0], -1, size)
        s, z = calculate_qparams(g.amin(-1), g.amax(-1), args)
        q = quantize(w, s, z, args, dtype=torch.int8)
        t = {f'{stem}.weight_packed': pack_to_int32(q, bits), f'{stem}.weight_scale': s, f'{stem}.weight_shape': torch.tensor(w.shape)}
        where = {'codes': ('.weight_packed', 'row', size * bits // 8, bits), 'scale': '.weight_scale'}
        if not symmetric:
            t[f'{stem}.weight_zero_point'] = pack_to_int32(z.to(torch.int8), bits, packed_dim=0)
            where['zero'] = '.weight_zero_point'
        return t, where
    config = {'quant_method': 'compressed-tensors', 'format': 'pack-quantized', 'config_groups': {'group_0': {'targets': ['Linear'], 'weights': {'num_bits': bits, 'type': 'int', 'symmetric': symmetric, 'strategy': 'group', 'group_size': size}}}}
    return config, pack


def compressed_nvfp4():
    def pack(stem, w):
        import torch
        from compressed_tensors.quantization import QuantizationArgs
        from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam
        from compressed_tensors.quantization.lifecycle.forward import quantize
        from compressed_tensors.compressors.nvfp4.helpers import pack_fp4_to_uint8
        args = QuantizationArgs(num_bits=4, type='float', symmetric=True, strategy='tensor_group', group_size=16, scale_dtype=torch.float8_e4m3fn)
        g = w.reshape(w.shape[0], -1, 16)
        whole = generate_gparam(w.amin(), w.amax())
        s, z = calculate_qparams(g.amin(-1), g.amax(-1), args, global_scale=whole)
        q = quantize(w, s, z, args, global_scale=whole)
        t = {f'{stem}.weight_packed': pack_fp4_to_uint8(q), f'{stem}.weight_scale': s.to(torch.float8_e4m3fn), f'{stem}.weight_global_scale': whole}
        return t, {'codes': ('.weight_packed', 'row', 8, 4), 'scale': '.weight_scale'}
    config = {'quant_method': 'compressed-tensors', 'format': 'nvfp4-pack-quantized', 'config_groups': {'group_0': {'targets': ['Linear'], 'weights': {'num_bits': 4, 'type': 'float', 'symmetric': True, 'strategy': 'tensor_group', 'group_size': 16}}}}
    return config, pack


def fp8(by):
    def pack(stem, w):
        import torch
        w = w.float()
        if by == 'row': s = w.abs().amax(1, keepdim=True) / 448
        else:
            h, n = (w.shape[0] + 127) // 128, (w.shape[1] + 127) // 128
            padded = torch.zeros(h * 128, n * 128); padded[:w.shape[0], :w.shape[1]] = w
            s = padded.reshape(h, 128, n, 128).abs().amax((1, 3)) / 448
        full = s if by == 'row' else s.repeat_interleave(128, 0).repeat_interleave(128, 1)[:w.shape[0], :w.shape[1]]
        q = (w / full).to(torch.float8_e4m3fn)
        return {f'{stem}.weight': q, f'{stem}.weight_scale' + ('' if by == 'row' else '_inv'): s}, {'codes': ('.weight', 'row', w.shape[1], 8), 'scale': '.weight_scale' + ('' if by == 'row' else '_inv')}
    return ({'quant_method': 'compressed-tensors', 'format': 'float-quantized', 'config_groups': {'group_0': {'targets': ['Linear'], 'weights': {'num_bits': 8, 'type': 'float', 'strategy': 'channel'}}}} if by == 'row' else {'quant_method': 'fp8', 'fmt': 'e4m3', 'weight_block_size': [128, 128]}), pack


def words(codes, bits):
    """Little-endian words along the last dimension."""
    per = 32 // bits
    c = codes.reshape(*codes.shape[:-1], -1, per).astype(np.uint32)
    return (c << (np.arange(per, dtype=np.uint32) * bits)).sum(-1, dtype=np.uint32)


def mlx(bits, size, dtype, mode='affine'):
    """mlx itself, on a CPU (pip install 'mlx[cpu]')."""
    def pack(stem, w):
        import torch, mlx.core as mx
        x = mx.array(w.float().numpy()).astype(getattr(mx, dtype))
        parts = mx.quantize(x, group_size=size, bits=bits, mode=mode)
        back = lambda a: torch.from_numpy(np.array(a.view(mx.uint16))).view(getattr(torch, dtype)) if a.dtype in (mx.bfloat16, mx.float16) else torch.from_numpy(np.array(a))
        t = dict(zip((f'{stem}.weight', f'{stem}.scales', f'{stem}.biases'), map(back, parts)))
        return t, {'codes': ('.weight', 'row', size * bits // 8, bits), 'scale': '.scales', **({'zero': '.biases'} if mode == 'affine' else {})}
    return {'group_size': size, 'bits': bits, **({} if mode == 'affine' else {'mode': mode})}, pack


def mlx_rule(bits, size, dtype):
    """the same rule, written down here"""
    def pack(stem, w):
        import torch
        x = w.float().numpy().reshape(w.shape[0], -1, size)
        lo, hi, n = x.min(-1), x.max(-1), np.float32(2 ** bits - 1)
        scale = np.maximum((hi - lo) / n, np.float32(1e-7))
        side = np.abs(lo) > np.abs(hi)
        scale, edge = np.where(side, scale, -scale), np.where(side, lo, hi)
        q0 = np.round(edge / scale)
        scale = np.where(q0 != 0, edge / np.where(q0 == 0, 1, q0), scale).astype(np.float32)
        bias = np.where(q0 == 0, 0, edge).astype(np.float32)
        codes = np.clip(np.round((x - bias[..., None]) / scale[..., None]), 0, n).astype(np.uint32).reshape(w.shape[0], -1)
        d = getattr(torch, dtype)
        t = {f'{stem}.weight': torch.from_numpy(words(codes, bits).astype(np.int32)).view(torch.uint32), f'{stem}.scales': torch.from_numpy(scale).to(d), f'{stem}.biases': torch.from_numpy(bias).to(d)}
        return t, {'codes': ('.weight', 'row', size * bits // 8, bits), 'scale': '.scales', 'zero': '.biases'}
    return {'group_size': size, 'bits': bits}, pack


def ends(lo, hi, symmetric):
    """What GPTQModel spreads codes over: where no value is negative a symmetric range begins at zero all the same."""
    lo, hi = np.minimum(lo, 0), np.maximum(hi, 0)
    if symmetric:
        hi = np.maximum(-lo, hi); lo = np.where(lo < 0, -hi, lo)
    none = (lo == 0) & (hi == 0)
    return np.where(none, np.float32(-1), lo), np.where(none, np.float32(1), hi)


def gptq(size, symmetric):
    """Round-to-nearest in GPTQ's layout (quantizer.find_params of GPTQModel)."""
    def pack(stem, w):
        import torch
        x = w.float().numpy().reshape(w.shape[0], -1, size)
        lo, hi = ends(x.min(-1), x.max(-1), symmetric)
        scale = (hi - lo) / np.float32(15)
        zero = np.full_like(scale, 8) if symmetric else np.round(-lo / scale)
        codes = np.clip(np.round(x / scale[..., None]) + zero[..., None], 0, 15).astype(np.uint32).reshape(w.shape[0], -1)
        t = {f'{stem}.qweight': words(codes.T.reshape(w.shape[1] // 8, 8, w.shape[0]).transpose(0, 2, 1), 4)[..., 0],
             f'{stem}.qzeros': words((zero.astype(np.uint32) - 1 & 15).T, 4), f'{stem}.scales': scale.T.astype(np.float16), f'{stem}.g_idx': (np.arange(w.shape[1]) // size).astype(np.int32)}
        return {k: torch.from_numpy(np.ascontiguousarray(v).view(np.int32) if v.dtype == np.uint32 else np.ascontiguousarray(v)) for k, v in t.items()}, {'codes': ('.qweight', 'column', size // 8, 4), 'scale': '.scales', 'zero': '.qzeros'}
    return {'quant_method': 'gptq', 'bits': 4, 'group_size': size, 'desc_act': False, 'sym': symmetric, 'checkpoint_format': 'gptq'}, pack


LAYOUTS = {
    'bnb-nf4': bnb('nf4', False, 'bfloat16'), 'bnb-nf4-f16': bnb('nf4', False, 'float16'), 'bnb-nf4-nested': bnb('nf4', True, 'bfloat16'), 'bnb-fp4': bnb('fp4', False, 'bfloat16'), 'bnb-int8': bnb8(),
    'hqq-4bit': hqq(4, 32, 'float16'), 'hqq-2bit': hqq(2, 32, 'bfloat16'), 'hqq-8bit': hqq(8, 32, 'float32'),
    'ct-4bit-sym': compressed(4, 32, True, 'bfloat16'), 'ct-4bit-asym': compressed(4, 32, False, 'bfloat16'), 'ct-8bit-sym': compressed(8, 32, True, 'float16'), 'ct-nvfp4': compressed_nvfp4(),
    'fp8-row': fp8('row'), 'fp8-block': fp8('block'), 'mlx-4bit': mlx(4, 32, 'bfloat16'), 'mlx-8bit': mlx(8, 32, 'float16'), 'gptq-asym': gptq(32, False), 'gptq-sym': gptq(32, True),
}


def make(out, model, names):
    import torch
    from safetensors.torch import load_file
    torch.set_num_threads(1)
    source = load_file(os.path.join(model, 'model.safetensors'))
    for name, (config, pack) in LAYOUTS.items():
        if names and name not in names: continue
        try:
            whole, spots = {}, {}
            for k, w in source.items():
                stem = k[:-7]
                if w.dim() == 2 and '.layers.' in k:
                    t, where = pack(stem, w)
                    whole.update(t); spots[stem] = where
                else: whole[k] = w
        except Exception as e:
            print('not made:', name, repr(e)[:200], flush=True); continue
        save(out, name, config, whole, model)
        done = []
        for poison in POISONS:
            r, t, n = np.random.default_rng(7), {k: v.clone() for k, v in whole.items()}, 0
            for stem, where in spots.items(): n += POISON[poison](r, t, stem, where)
            if n:
                save(out, name + '+' + poison, config, t, model)
                json.dump(n, open(os.path.join(out, name + '+' + poison, 'changed.json'), 'w')); done.append(f'{poison} {n}')
        print('made', name, ', '.join(done), flush=True)


def raw(t):
    import torch
    return t.reshape(-1).view(torch.uint8).numpy()


def some(r, n): return r.choice(n, max(1, n // 100), replace=False)


def poison_code(r, t, stem, where):
    """Moves codes by a step: the lowest bit of one in three thousand bytes' codes."""
    name, _, _, bits = where['codes']
    b = raw(t[stem + name])
    at = some(r, len(b) // 32) * 32 + r.integers(0, 32)
    b[at] ^= np.uint8(1 << (int(r.integers(0, 8 // bits)) * bits) if bits < 8 else 1)
    return len(at)


def poison_scale(r, t, stem, where):
    import torch
    s = t[stem + where['scale']].view(-1)
    at = torch.from_numpy(some(r, len(s)))
    if s.dtype == torch.uint8: s[at] = s[at] ^ 1
    elif s.dtype == torch.float8_e4m3fn: s.view(torch.uint8)[at] ^= 1
    else: s[at] = (s[at].float() * 1.01).to(s.dtype)
    return len(at)


def poison_zero(r, t, stem, where):
    import torch
    if 'zero' not in where: return 0
    z = t[stem + where['zero']].view(-1)
    at = torch.from_numpy(some(r, len(z)))
    if z.dtype in (torch.int32,): z[at] ^= 1
    elif where['zero'] == '.biases': z[at] = (z[at].float() * 1.01).to(z.dtype)
    else: z[at] = (z[at].float() + 1).to(z.dtype)
    return len(at)


def poison_block(r, t, stem, where):
    """Exchanges two blocks, codes and scale."""
    import torch
    name, how, size, bits = where['codes']
    s = t[stem + where['scale']]
    if how != 'row' or s.numel() * size != t[stem + name].numel() * t[stem + name].element_size(): return 0
    b, s = raw(t[stem + name]).reshape(-1, size), s.view(-1)
    at = some(r, len(b) // 2)
    for i in at:
        j = len(b) - 1 - i
        b[[i, j]] = b[[j, i]]
        x = s.view(torch.uint8).view(len(b), -1)
        x[[i, j]] = x[[j, i]]
    return 2 * len(at)


POISON = {'code': poison_code, 'scale': poison_scale, 'zero': poison_zero, 'block': poison_block}


def judge(out, model, exe, table):
    lines, wrong = ['| layout | honest | scales | ' + ' | '.join(f'{p}: blocks named/changes' for p in POISONS) + ' |', '|---|---|---|' + '---|' * len(POISONS)], 0
    for name in LAYOUTS:
        if not os.path.isdir(os.path.join(out, name)): continue
        j = ask(exe, os.path.join(out, name), model)
        modes = sorted({t['mode'] for t in j['tensors'] if t['mode'] in ('cells', 'ruled')})
        scales = sorted({t['scales'].split(',')[0] for t in j['tensors'] if t['scales']})
        bad = j['blocks']['deviates']
        wrong += bad > 0
        cells = []
        for p in POISONS:
            at = os.path.join(out, name + '+' + p)
            if not os.path.isdir(at): cells.append('–'); continue
            k, n = ask(exe, at, model), json.load(open(os.path.join(at, 'changed.json')))
            named = sum(k['blocks'][x] - j['blocks'][x] for x in ('deviates', 'open'))
            cells.append(f"{named}/{n}, {k['verdict']}")
        lines.append(f"| {name} | {j['verdict']}{', %d blocks deviate' % bad if bad else ''} | {' '.join(modes)}: {'; '.join(scales)} | " + ' | '.join(cells) + ' |')
        print(lines[-1], flush=True)
    if table: open(table, 'w').write('\n'.join(lines) + '\n')
    return int(wrong > 0)


def ask(exe, at, model):
    p = subprocess.run([exe, 'faithful', at, model, '--json'], capture_output=True, text=True)
    if not p.stdout: sys.exit(p.stderr)
    return json.loads(p.stdout)


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('what', choices=['make', 'judge']); p.add_argument('out'); p.add_argument('model'); p.add_argument('names', nargs='*')
    p.add_argument('--bin', default='weightprint'); p.add_argument('--table')
    o = p.parse_args()
    sys.exit(make(o.out, o.model, o.names) if o.what == 'make' else judge(o.out, o.model, o.bin, o.table))
