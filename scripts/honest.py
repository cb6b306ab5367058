#!/usr/bin/env python3
"""Makes GGUF files of many kinds of weights with llama.cpp's own quantiser, as fresh honest files for `weightprint faithful`.

    pip install torch safetensors gguf cyllama
    python honest.py OUT --zoo ZOO --minilm MODEL --smol FILE.gguf [--seed N]
    python honest.py OUT --judge weightprint         # what `faithful` says of each file, with its importance and without

Another seed takes other values, other layers, other models of the zoo, other importance and other choices of types.

OUT/jobs.json lists each file with its source and its importance matrix, or none."""
import argparse, ctypes, json, os, shutil, sys
import numpy as np

SMALL = 1 << 20

def hf(path):
    from safetensors.torch import load_file
    return {k: v.float().numpy() for k, v in load_file(path).items()}

def rotary(w, heads):  # rows as llama.cpp's converter stores them
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)
def unrotary(w, heads):
    return w.reshape(heads, w.shape[0] // heads // 2, 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)

NAMES = {'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output', 'mlp.gate_proj': 'ffn_gate', 'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down', 'input_layernorm': 'attn_norm', 'post_attention_layernorm': 'ffn_norm', 'self_attn.qkv_proj': 'attn_qkv', 'mlp.gate_up_proj': 'ffn_up', 'block_sparse_moe.gate': 'ffn_gate_inp'}
TOP = {'model.embed_tokens.weight': 'token_embd.weight', 'model.norm.weight': 'output_norm.weight', 'lm_head.weight': 'output.weight'}

def gguf_names(t, c):
    out, experts = {}, {}
    for k, v in t.items():
        if k in TOP: out[TOP[k]] = v; continue
        p = k.split('.'); i = p[2]; rest = '.'.join(p[3:-1])
        if '.experts.' in k:
            e, w = int(p[5]), {'w1': 'gate', 'w2': 'down', 'w3': 'up'}[p[6]]
            experts.setdefault(f'blk.{i}.ffn_{w}_exps.weight', {})[e] = v; continue
        if c['model_type'] in ('llama', 'mixtral'):
            if rest.endswith('q_proj'): v = rotary(v, c['num_attention_heads'])
            if rest.endswith('k_proj'): v = rotary(v, c['num_key_value_heads'])
        out[f'blk.{i}.{NAMES[rest]}.weight'] = v
    for k, e in experts.items(): out[k] = np.stack([e[i] for i in range(len(e))])
    return out

def write_gguf(path, t, c, kind):
    import gguf
    arch = {'mixtral': 'llama'}.get(c['model_type'], c['model_type'])
    w = gguf.GGUFWriter(path, arch)
    w.add_name('source'); w.add_block_count(c['num_hidden_layers']); w.add_context_length(512); w.add_embedding_length(c['hidden_size']); w.add_feed_forward_length(c['intermediate_size'])
    w.add_head_count(c['num_attention_heads']); w.add_head_count_kv(c['num_key_value_heads']); w.add_vocab_size(c['vocab_size'])
    w.add_layer_norm_rms_eps(1e-5); w.add_layer_norm_eps(1e-12); w.add_rope_dimension_count(c['hidden_size'] // c['num_attention_heads']); w.add_rope_freq_base(10000.)
    if c['model_type'] == 'mixtral': w.add_expert_count(c['num_local_experts']); w.add_expert_used_count(2)
    if c['model_type'] == 'phi3': w.add_sliding_window(512)
    w.add_file_type({'F32': 0, 'F16': 1, 'BF16': 32}[kind])
    for k, v in t.items():
        v = np.ascontiguousarray(v, np.float32)
        if v.ndim == 1 or 'gate_inp' in k or kind == 'F32': w.add_tensor(k, v)
        elif kind == 'F16': w.add_tensor(k, v.astype(np.float16))
        else: w.add_tensor(k, gguf.quants.quantize(v, gguf.GGMLQuantizationType.BF16), raw_dtype=gguf.GGMLQuantizationType.BF16)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

def save_hf(at, t, c, dtype):
    import torch
    from safetensors.torch import save_file
    os.makedirs(at, exist_ok=True)
    save_file({k: torch.from_numpy(np.ascontiguousarray(v)).to(getattr(torch, dtype)) for k, v in t.items()}, at + '/model.safetensors')
    json.dump(dict(c, torch_dtype=dtype), open(at + '/config.json', 'w'))

def llama(h, f, heads, kv, layers, vocab, kind='llama', **more):
    return dict(architectures=[{'llama': 'LlamaForCausalLM', 'mixtral': 'MixtralForCausalLM', 'phi3': 'Phi3ForCausalLM'}[kind]], model_type=kind, hidden_size=h, intermediate_size=f, num_attention_heads=heads, num_key_value_heads=kv, head_dim=h // heads, num_hidden_layers=layers, vocab_size=vocab, tie_word_embeddings=False, hidden_act='silu', rms_norm_eps=1e-5, rope_theta=10000., max_position_embeddings=512, **more)

class Pool:
    """values of trained networks, drawn one after the other"""
    def __init__(self, arrays, seed):
        r = np.random.default_rng(seed)
        self.a = [a.reshape(-1) for a in arrays if a.ndim == 2 and a.size > 1 << 12]
        self.x = np.concatenate(self.a); self.at = int(r.integers(0, len(self.x) // 2))
    def take(self, *shape):
        n = int(np.prod(shape))
        if self.at + n > len(self.x): self.at = 0
        out = self.x[self.at:self.at + n].reshape(shape).copy(); self.at += n
        return out

def plain(pool, c, moe=0):
    h, f, d = c['hidden_size'], c['intermediate_size'], c['head_dim']
    t = {'model.embed_tokens.weight': pool.take(c['vocab_size'], h), 'lm_head.weight': pool.take(c['vocab_size'], h), 'model.norm.weight': 1 + pool.take(h)}
    for i in range(c['num_hidden_layers']):
        p = f'model.layers.{i}.'
        a, b = c['num_attention_heads'] * d, c['num_key_value_heads'] * d
        for n, s in (('self_attn.q_proj', (a, h)), ('self_attn.k_proj', (b, h)), ('self_attn.v_proj', (b, h)), ('self_attn.o_proj', (h, a))): t[p + n + '.weight'] = pool.take(*s)
        if moe:
            t[p + 'block_sparse_moe.gate.weight'] = pool.take(moe, h)
            for e in range(moe):
                for n, s in (('w1', (f, h)), ('w2', (h, f)), ('w3', (f, h))): t[f'{p}block_sparse_moe.experts.{e}.{n}.weight'] = pool.take(*s)
        else:
            for n, s in (('gate_proj', (f, h)), ('up_proj', (f, h)), ('down_proj', (h, f))): t[p + f'mlp.{n}.weight'] = pool.take(*s)
        for n in ('input_layernorm', 'post_attention_layernorm'): t[p + n + '.weight'] = 1 + pool.take(h)
    return t

def odd(t, r):
    """what trained and edited models also have"""
    e = t['model.embed_tokens.weight']; e[::7] = 0; e[1::7, :64] = 0; e[2::7] = e[2, :1]; e[3::7, 32:64] = 0.0125
    for k, w in t.items():
        if 'down_proj' in k: w[np.arange(len(w)), r.integers(0, w.shape[1], len(w))] = 30 * w.std() * r.choice([-1, 1], len(w))
        if 'up_proj' in k: w *= r.random(w.shape) < .5
        if 'k_proj' in k: w *= 1e-6
        if 'v_proj' in k: w *= 1e3
        if 'gate_proj' in k: w[:] = np.abs(w); w[:8] *= -1
        if 'o_proj' in k: w[:, ::2] = np.round(w[:, ::2] * 16 / np.abs(w).max()) / 16 * np.abs(w).max()
    lm = t['lm_head.weight']; lm *= np.exp(r.normal(0, 2, (len(lm), 1))).astype(np.float32); lm[5] = 1e-30; lm[6] *= 1e-9; lm[7] = np.where(np.arange(lm.shape[1]) == 3, 1, 0)

def sources(args):
    import gguf
    mini = hf(args.minilm + '/model.safetensors')
    r = np.random.default_rng(31 + args.seed)
    g = {x.name: x for x in gguf.GGUFReader(args.smol).tensors}
    def smol(n): return gguf.quants.dequantize(g[n].data, g[n].tensor_type)
    layer = (15 + 7 * args.seed) % 30
    c = llama(576, 768, 9, 3, 1, 96)
    t = {'model.embed_tokens.weight': smol('token_embd.weight')[1000 + 777 * args.seed:][:96], 'lm_head.weight': smol('token_embd.weight')[9000 + 777 * args.seed:][:96], 'model.norm.weight': smol('output_norm.weight')}
    for a, b in NAMES.items():
        if f'blk.{layer}.{b}.weight' in g and 'qkv' not in b and 'gate_up' not in a:
            w = smol(f'blk.{layer}.{b}.weight')
            if b == 'attn_q': w = unrotary(w, 9)
            if b == 'attn_k': w = unrotary(w, 3)
            if 'gate' in b or 'up' in b: w = w[:768]
            if 'down' in b: w = w[:, :768]
            t[f'model.layers.0.{a}.weight'] = np.array(w)
    yield 'smol-lattice', t, c, 'float32', 'F32'
    u = {k: (v + .15 * np.float32(v.std() * .3) * r.standard_normal(v.shape).astype(np.float32)) if v.ndim == 2 else v for k, v in t.items()}
    yield 'smol-bf16', u, c, 'bfloat16', 'BF16'
    yield 'smol-f32-bf16', u, c, 'float32', 'BF16'  # the converter rounds first
    P = lambda s: Pool([v for k, v in mini.items() if 'LayerNorm' not in k], s + 100 * args.seed)
    c = llama(256, 512, 4, 2, 1, 336)
    t = plain(P(1), c); odd(t, r)
    yield 'odd', t, c, 'float32', 'F32'
    t = plain(P(2), c); odd(t, r)
    yield 'odd-f16', {k: v.astype(np.float16).astype(np.float32) for k, v in t.items()}, c, 'float16', 'F16'
    c = llama(256, 256, 4, 2, 1, 160, 'mixtral', num_local_experts=3, num_experts_per_tok=2)
    yield 'moe', plain(P(3), c, 3), c, 'bfloat16', 'BF16'
    c = llama(256, 512, 4, 4, 1, 160, 'phi3')
    t = plain(P(4), c); p = 'model.layers.0.'
    t[p + 'self_attn.qkv_proj.weight'] = np.concatenate([t.pop(p + f'self_attn.{n}_proj.weight') for n in 'qkv'])
    t[p + 'mlp.gate_up_proj.weight'] = np.concatenate([t.pop(p + f'mlp.{n}_proj.weight') for n in ('gate', 'up')])
    yield 'fused', t, c, 'float16', 'F16'
    for z in (('r5', 'r6'), ('r3', 'r7'), ('r1-ft-a', 'r4'))[args.seed % 3]:
        c = json.load(open(f'{args.zoo}/{z}/config.json'))
        yield 'zoo-' + z, hf(f'{args.zoo}/{z}/model.safetensors'), c, 'bfloat16', 'F32'

def importances(kind, names, r):
    """by tensor; a list for each matrix of a stack"""
    out = {}
    for k, v in names.items():
        n = v.shape[-1] * (v.shape[0] if v.ndim == 3 else 1)
        if kind == 'usual': w = np.exp(2 * r.normal(0, r.uniform(.3, 1), n)); w[r.random(n) < .01] *= 300
        if kind == 'flat': w = np.full(n, .37)
        if kind == 'zeros': w = np.exp(r.normal(0, 1, n)) * (r.random(n) < .5)
        if kind == 'nothing': w = np.zeros(n)
        if kind == 'one': w = np.zeros(n); w[::97] = 1
        if kind == 'wide': w = 10 ** r.uniform(-10, 10, n)
        if kind == 'runs': w = np.where(np.arange(n) // 32 % 3 == 0, 0, np.exp(r.normal(0, 1, n)))
        out[k] = w.astype(np.float32)
    return out

def write_importance(path, imp):
    import gguf
    w = gguf.GGUFWriter(path, ''); w.add_type('imatrix'); w.add_array('imatrix.datasets', ['x']); w.add_uint32('imatrix.chunk_count', 1); w.add_uint32('imatrix.chunk_size', 512)
    for k, v in imp.items():
        w.add_tensor(k + '.in_sum2', v.reshape(1, -1)); w.add_tensor(k + '.counts', np.ones((1, 1), np.float32))
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

class Datum(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('data', ctypes.c_void_p), ('size', ctypes.c_size_t)]

def llama_quantise(src, dst, ftype, pure, imp):
    from cyllama.llama import llama_cpp as L
    p = L.LlamaModelQuantizeParams(); p.nthread = 0x1234567; p.ftype = ftype
    raw = (ctypes.c_uint8 * 96).from_address(id(p)); at = bytes(raw).index((0x1234567).to_bytes(4, 'little') + ftype.to_bytes(4, 'little'))
    p.nthread = 1; p.pure = pure; p.allow_requantize = True
    keep = []
    if imp is not None:
        rows = (Datum * (len(imp) + 1))()
        for i, (k, v) in enumerate(imp.items()):
            keep.append(v); rows[i] = Datum(k.encode(), v.ctypes.data, v.size)
        ctypes.c_void_p.from_address(id(p) + at + 24).value = ctypes.addressof(rows); keep.append(rows)
    L.model_quantize(src, dst, p)

FTYPES = dict(Q4_0=2, Q4_1=3, Q8_0=7, Q5_0=8, Q5_1=9, Q2_K=10, Q3_K_S=11, Q3_K_M=12, Q3_K_L=13, Q4_K_S=14, Q4_K_M=15, Q5_K_S=16, Q5_K_M=17, Q6_K=18, IQ2_XXS=19, IQ2_XS=20, Q2_K_S=21, IQ3_XS=22, IQ3_XXS=23, IQ1_S=24, IQ4_NL=25, IQ3_S=26, IQ3_M=27, IQ2_S=28, IQ2_M=29, IQ4_XS=30, IQ1_M=31, BF16=32, F16=1, TQ1_0=36, TQ2_0=37, MXFP4_MOE=38, NVFP4=39, Q1_0=40, Q2_0=41)
NEEDS = {'IQ2_XXS', 'IQ2_XS', 'Q2_K_S', 'IQ1_S', 'IQ1_M', 'IQ2_S', 'IQ2_M', 'IQ3_XXS'}
KINDS = ['usual', 'flat', 'zeros', 'nothing', 'one', 'wide', 'runs']

def make(args):
    os.makedirs(args.out, exist_ok=True)
    jobs, n = [], args.seed
    for s, (name, t, c, dtype, kind) in enumerate(sources(args)):
        at = f'{args.out}/{name}'
        save_hf(at, t, c, dtype)
        import torch
        seen = {k: torch.from_numpy(np.ascontiguousarray(v)).to(getattr(torch, dtype)).float().numpy() for k, v in t.items()}
        named = gguf_names(seen, c)
        src = f'{at}/source-{kind}.gguf'; write_gguf(src, named, c, kind)
        r = np.random.default_rng([5 + args.seed, s])
        for f, (ft, code) in enumerate(FTYPES.items()):
            if args.types and ft not in args.types.split(','): continue
            if not args.types and (f + s + args.seed) % 2 and not name.startswith('odd'): continue
            for variant in ('none', 'imp'):
                if variant == 'none' and ft in NEEDS: continue
                if variant == 'imp' and ft in ('Q8_0', 'F16', 'BF16', 'MXFP4_MOE', 'NVFP4', 'Q1_0', 'Q2_0', 'TQ1_0', 'TQ2_0'): continue
                which = KINDS[(n := n + 1) % len(KINDS)] if variant == 'imp' else ''
                imp = importances(which, {k: v for k, v in named.items() if v.ndim >= 2 and 'token_embd' not in k}, r) if which else None
                pure = (f // 2 + s + args.seed) % 2 == 0 and c['hidden_size'] % 256 == 0
                dst = f'{args.out}/{name}-{ft}{"-pure" if pure else ""}{"-" + which if which else ""}.gguf'
                sys.stdout.flush()
                pid = os.fork()
                if pid == 0:
                    null = os.open('/dev/null', os.O_WRONLY); os.dup2(null, 1); os.dup2(os.open(args.out + '/err.log', os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
                    try: llama_quantise(src, dst, code, pure, imp); os._exit(0)
                    except BaseException as e: os.write(2, f'{dst}: {e}\n'.encode()); os._exit(1)
                if os.waitpid(pid, 0)[1] != 0:
                    print('not made', dst); 
                    if os.path.exists(dst): os.remove(dst)
                    continue
                if imp: write_importance(dst[:-5] + '.imatrix', imp)
                jobs.append([dst, at if f % 3 else src, dst[:-5] + '.imatrix' if imp else ''])
        print(name, sum(v.size for v in t.values()), len(jobs), flush=True)
        json.dump(jobs, open(args.out + '/jobs.json', 'w'))

def judge(out, exe):
    """prints the verdicts, and every file that deviates; with importance each file is held twice, once without it"""
    import collections, subprocess
    count, kinds = collections.Counter(), collections.defaultdict(collections.Counter)
    for dst, src, imp in json.load(open(out + '/jobs.json')):
        for given in ([imp, ''] if imp else ['']):
            p = subprocess.run([exe, 'faithful', dst, src, '--json', *(['--importance', given] if given else [])], capture_output=True, text=True)
            v = json.loads(p.stdout)['verdict'] if p.stdout.startswith('{') else 'failed'
            how = 'given' if given else 'hidden' if imp else 'none'
            count[how, v] += 1
            kinds[os.path.basename(dst)[:-5].split('-pure')[0].split('-')[-1 if '-pure' in dst or not imp else -2]][v] += 1
            if v not in ('faithful', 'reachable', 'undetermined'): print(v, dst, how, p.stderr.strip()[:200], flush=True)
    for k, n in sorted(count.items()): print(*k, n)
    print(sum(count.values()), 'runs,', len(kinds), 'types:', {k: dict(v) for k, v in kinds.items()})

if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('out'); p.add_argument('--zoo'); p.add_argument('--minilm'); p.add_argument('--smol'); p.add_argument('--seed', type=int, default=0); p.add_argument('--types', help='these alone, of all sources'); p.add_argument('--judge')
    o = p.parse_args()
    judge(o.out, o.judge) if o.judge else make(o)
