#!/usr/bin/env python3
"""Makes sixty merges with mergekit and holds what `weightprint recipe` says of them against how they were made.

    pip install mergekit==0.1.5            # brings PyTorch and transformers
    python merge_grid.py make  OUT ZOO     # ZOO: folder of small related models (r1, r1-ft-a, ...)
    python merge_grid.py judge OUT ZOO --bin weightprint [--table FILE]

With --further it is fourteen other merges, of kinds and options that the sixty do not have.

A row of the grid is a method with its parameters, the parents, the type that the work is done in and the type that is
stored; some are trained further after the merge. The parents given to `recipe` are those of the merge and one relative
that took no part. A row is right when method, parents and what came after are, and every coefficient is within 0.005.
For a merge that was trained further no method is named; its linear part and its parents are still judged where the
method has one."""
import argparse, json, os, shutil, subprocess, sys

A, B, F, L = 'r1-ft-a', 'r1-ft-b', 'r1-ft-ft', 'r1-ft-short'
BASE, OTHER = 'r1', 'r1-ft-long'


def donors(weights, **more):
    return [(m, {'weight': w, **{k: (v[i] if isinstance(v, list) else v) for k, v in more.items()}}) for i, (m, w) in enumerate(weights.items())]


def row(name, method, models, weights, base=None, dtype='bfloat16', out=None, params=None, trained=0, slices=None, expect=None, expect_method=None, tokenizer=None):
    return dict(tokenizer=tokenizer, name=name, method=method, models=models, weights=weights, base=base, dtype=dtype, out=out, params=params or {},
                trained=trained, slices=slices, expect=expect or {}, expect_method=expect_method)


def grid():
    rows = []
    two, skew, neg = {A: .5, B: .5}, {A: .7, B: .3}, {A: .8, B: -.4}
    lin = lambda n, w, **k: row(n, 'linear', donors(w), w, **k)
    ta = lambda n, w, base=BASE, **k: row(n, 'task_arithmetic', donors(w), {**w, base: 1 - sum(w.values())}, base=base, **k)
    # linear
    rows += [lin('linear-halves', two), lin('linear-skew', skew), lin('linear-three', {A: .5, B: .3, F: .2}),
             lin('linear-f32', skew, dtype='float32'), lin('linear-f16', {A: .35, B: .65}, dtype='float16'),
             lin('linear-f32-bf16', {A: .15, B: .85}, dtype='float32', out='bfloat16'), lin('linear-r2', {'r2-ft-b': .6, 'r2-ft-short': .4}),
             lin('linear-trained', skew, trained=30), lin('linear-r2-trained', {'r2-ft-b': .6, 'r2-ft-long': .4}, trained=10)]
    # task arithmetic
    rows += [ta('task', {A: .6, B: .7}), ta('task-negative', neg), ta('task-f32', {A: 1.0, B: .5}, dtype='float32', out='bfloat16'),
             ta('task-three', {A: .5, B: .4, L: .6}), ta('task-r2', {'r2-ft-b': .9, 'r2-ft-short': -.5}, base='r2'), ta('task-trained', neg, trained=30)]
    # spherical
    def slerp(n, t, pair=(A, B), **k):
        w = {pair[0]: 1 - t, pair[1]: t} if not isinstance(t, list) else {}
        return row(n, 'slerp', [(pair[0], {}), (pair[1], {})], w, base=pair[0], params={'t': t}, **k)
    gradient = [{'filter': 'self_attn', 'value': [0, .5, .3, .7, 1]}, {'filter': 'mlp', 'value': [1, .5, .7, .3, 0]}, {'value': .5}]
    rows += [slerp('slerp', .3), slerp('slerp-gradient', gradient, expect={'t': gradient}), slerp('slerp-f32', .4, dtype='float32', out='bfloat16'),
             slerp('slerp-f16', .25, dtype='float16'), slerp('slerp-far', .6, pair=(A, OTHER)), slerp('slerp-r2', .7, pair=('r2-ft-b', 'r2-ft-long')), slerp('slerp-trained', .3, trained=30)]
    nus = lambda n, w, **k: row(n, 'nuslerp', donors(w), {} if k.get('base') else w, **k)
    rows += [nus('nuslerp', {A: .6, B: .4}), nus('nuslerp-f32', {A: .6, OTHER: .4}, dtype='float32', out='bfloat16'), nus('nuslerp-base', {A: .6, B: .4}, base=BASE, expect={'t': .4}),
             nus('nuslerp-rows', {A: .6, OTHER: .4}, dtype='float32', out='bfloat16', params={'nuslerp_flatten': False, 'nuslerp_row_wise': True})]
    kar = lambda n, ms, **k: row(n, 'karcher', [(m, {}) for m in ms], {m: 1 / len(ms) for m in ms}, **k)
    rows += [kar('karcher', [A, OTHER]), kar('karcher-f32', [A, OTHER], dtype='float32', out='bfloat16'), kar('karcher-three-f32', [A, B, OTHER], dtype='float32', out='bfloat16')]
    rows += [row('multislerp-f32', 'multislerp', donors({A: .5, B: .2, OTHER: .3}), {A: .5, B: .2, OTHER: .3}, dtype='float32', out='bfloat16')]
    # model stock
    stock = lambda n, ms, **k: row(n, 'model_stock', [(m, {}) for m in ms], {}, base=BASE, **k)
    rows += [stock('stock', [A, B]), stock('stock-f32', [A, B, L], dtype='float32', out='bfloat16'), stock('stock-rows-f32', [A, B], dtype='float32', out='bfloat16', params={'filter_wise': True}), stock('stock-trained', [A, B], trained=30)]
    # sparse task vectors
    def sparse(n, method, w, base=BASE, expect=None, **k):
        per = {p: k.pop(p) for p in ('density', 'epsilon', 'gamma') if p in k}
        return row(n, method, donors(w, **per), w, base=base, expect={**per, **(expect or {})}, **k)
    rows += [sparse('ties', 'ties', two, density=.4), sparse('ties-skew', 'ties', {A: .6, B: .4}, density=[.3, .6]), sparse('ties-f32', 'ties', skew, density=.5, dtype='float32', out='bfloat16'),
             sparse('ties-three', 'ties', {A: .4, B: .3, L: .3}, density=.5), sparse('ties-lambda', 'ties', two, density=.5, params={'lambda': .7}), sparse('ties-r2', 'ties', {'r2-ft-b': .5, 'r2-ft-short': .5}, base='r2', density=.6),
             sparse('ties-trained', 'ties', two, density=.4, trained=30)]
    rows += [sparse('dare', 'dare_linear', {A: .6, B: .4}, density=.5), sparse('dare-one', 'dare_linear', {A: .8}, density=.4),
             sparse('dare-ties', 'dare_ties', {A: .6, B: .4}, density=.5), sparse('dare-ties-f32', 'dare_ties', {A: .5, B: .7}, density=.6, dtype='float32', out='bfloat16'), sparse('dare-trained', 'dare_linear', {A: .6, B: .4}, density=.5, trained=30)]
    rows += [sparse('della', 'della', {A: .6, B: .4}, density=.5, epsilon=.1), sparse('della-f32', 'della', {A: .7, B: .3}, density=.6, epsilon=.15, dtype='float32', out='bfloat16'), sparse('della-linear', 'della_linear', {A: .6, B: .4}, density=.5, epsilon=.15),
             sparse('della-trained', 'della', {A: .6, B: .4}, density=.5, epsilon=.1, trained=30)]
    rows += [sparse('breadcrumbs', 'breadcrumbs', {A: .6, B: .5}, density=.7, gamma=.02), sparse('breadcrumbs-ties', 'breadcrumbs_ties', {A: .6, B: .5}, density=.7, gamma=.02), sparse('breadcrumbs-f32', 'breadcrumbs', {A: .5, B: .3}, density=.8, gamma=.01, dtype='float32', out='bfloat16')]
    sce = lambda n, ms, k=1.0, **more: row(n, 'sce', [(m, {}) for m in ms], {}, base=BASE, params={'select_topk': k}, **more)
    rows += [sce('sce', [A, B]), sce('sce-top', [A, B], .5), sce('sce-f32', [A, B], .7, dtype='float32', out='bfloat16')]
    rows += [row('fusion', 'arcee_fusion', [(B, {})], {}, base=A), row('fusion-f32', 'arcee_fusion', [(OTHER, {})], {}, base=A, dtype='float32', out='bfloat16')]
    # whole layers
    piece = lambda m, a, b, scale=None: {'sources': [{'model': m, 'layer_range': [a, b], **({'parameters': {'scale': scale}} if scale else {})}]}
    scaled = [{'filter': 'o_proj', 'value': .5}, {'filter': 'down_proj', 'value': .5}, {'value': 1.0}]
    rows += [row('passthrough', 'passthrough', None, {A: .5, B: .5}, slices=[piece(A, 0, 4), piece(B, 2, 6)], expect={'parents': [A, B]}),
             row('passthrough-scaled', 'passthrough', None, {A: 1.0}, slices=[piece(A, 0, 4), piece(A, 2, 4, scaled), piece(A, 4, 6)], expect={'parents': [A], 'scale': .5})]
    assert len(rows) == 60 and len({r['name'] for r in rows}) == 60, len(rows)
    return rows


def further():
    f32 = dict(dtype='float32', out='bfloat16')
    def sparse(n, method, w, base=BASE, expect=None, density=None, epsilon=None, gamma=None, **k):
        e = {p: v for p, v in (('density', density), ('epsilon', epsilon), ('gamma', gamma)) if v is not None}
        return row(n, method, donors(w, **e), w, base=base, expect={**e, **(expect or {})}, **k)
    own = {A: [{'filter': 'embed_tokens', 'value': .9}, {'filter': 'lm_head', 'value': .2}, {'value': .6}], B: [{'filter': 'embed_tokens', 'value': .1}, {'filter': 'lm_head', 'value': .8}, {'value': .4}]}
    halved = [{'filter': 'q_proj', 'value': .7}, {'value': 1.0}]
    return [
        sparse('f-della-linear', 'della_linear', {A: .5, B: .4, L: .3}, density=.45, epsilon=.05, params={'lambda': .8}),
        sparse('f-breadcrumbs-ties', 'breadcrumbs_ties', {A: .5, B: .3, L: .4}, density=.5, gamma=.1, **f32),
        row('f-sce', 'sce', [(m, {}) for m in ('r2-ft-b', 'r2-ft-short', 'r2-ft-long')], {}, base='r2', params={'select_topk': .2}),
        row('f-nuslerp-columns', 'nuslerp', donors({A: .35, B: .65}), {}, base=BASE, params={'nuslerp_flatten': False, 'nuslerp_row_wise': False}, **f32),
        row('f-karcher', 'karcher', [(m, {}) for m in ('r2-ft-b', 'r2-ft-short', 'r2-ft-long')], {m: 1 / 3 for m in ('r2-ft-b', 'r2-ft-short', 'r2-ft-long')}, **f32),
        row('f-fusion', 'arcee_fusion', [('r2-ft-b', {})], {}, base='r2-ft-short', **f32),
        row('f-multislerp', 'multislerp', donors({A: .45, B: .55}), {A: .45, B: .55}, base=BASE, **f32),
        row('f-passthrough', 'passthrough', None, {A: 1.0}, slices=[{'sources': [{'model': A, 'layer_range': [0, 6], 'parameters': {'scale': halved}}]}], expect={'parents': [A], 'scales': {'attn.q': .7}}),
        row('f-lora', 'linear', [(BASE + '+r1-lora-adapter', {'weight': .65}), (B, {'weight': .35})], {'r1-lora-merged': .65, B: .35}, **f32),
        row('f-embeddings', 'linear', [(m, {'weight': w}) for m, w in own.items()], {}, expect={'weights': {'embedding': .9, 'head': .2, 'layers.2.mlp.up': .6}}, **f32),
        row('f-linear-free', 'linear', donors({A: .6, B: .5}), {A: .6, B: .5}, params={'normalize': False}, **f32),
        row('f-linear-negative', 'linear', donors({A: 1.3, B: -.3}), {A: 1.3, B: -.3}, **f32),
        sparse('f-dare-unscaled', 'dare_linear', {A: .6, B: .7}, density=.6, params={'rescale': False}, **f32),
        row('f-union', 'linear', donors({'r1-vocabext': .55, B: .45}), {'r1-vocabext': .55, B: .45}, tokenizer='union', **f32),
    ]


def config(r, zoo):
    path = lambda m: '+'.join(os.path.join(zoo, x) for x in m.split('+'))
    c = {'merge_method': r['method'], 'dtype': r['dtype']}
    if r['out']: c['out_dtype'] = r['out']
    if r['base']: c['base_model'] = path(r['base'])
    if r['params']: c['parameters'] = r['params']
    if r['tokenizer']: c['tokenizer'] = {'source': r['tokenizer']}
    if r['slices']:
        c['slices'] = json.loads(json.dumps(r['slices']))
        for s in c['slices']:
            for x in s['sources']: x['model'] = path(x['model'])
    else:
        models = [(m, p) for m, p in r['models']]
        c['models'] = [{'model': path(m), **({'parameters': p} if p else {})} for m, p in models]
    return c


def make(out, zoo, names, rows):
    import random, yaml, torch
    from mergekit.config import MergeConfiguration
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions
    torch.set_num_threads(1)
    os.makedirs(out, exist_ok=True)
    for r in rows:
        at = os.path.join(out, r['name'])
        if names and r['name'] not in names or os.path.exists(os.path.join(at, 'done')): continue
        shutil.rmtree(at, ignore_errors=True)
        c = config(r, os.path.abspath(zoo))
        run_merge(MergeConfiguration.model_validate(c), at, MergeOptions(copy_tokenizer=False, random_seed=len(r['name']), quiet=True, write_model_card=False, transformers_cache=os.path.join(out, 'cache'), lora_merge_cache=os.path.join(out, 'cache')))
        if not r['tokenizer']: shutil.copy(os.path.join(zoo, r['base'] or A, 'tokenizer.json'), at)
        if r['trained']: train(at, r['trained'])
        yaml.safe_dump(c, open(at + '.yml', 'w'))
        open(os.path.join(at, 'done'), 'w').close()
        print('made', r['name'], flush=True)


def train(folder, steps):
    """Trains every parameter further on this script's own text and the interpreter's library, as anyone would go on."""
    import glob, torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM
    torch.manual_seed(7)
    text = '\n'.join(open(f, encoding='utf-8', errors='ignore').read() for f in sorted(glob.glob(os.path.join(os.path.dirname(json.__file__), '*.py'))) + [__file__])
    ids = torch.tensor(Tokenizer.from_file(os.path.join(folder, 'tokenizer.json')).encode(text).ids)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    opt = torch.optim.AdamW(model.parameters(), lr=2e-4, weight_decay=.01)
    for _ in range(steps):
        at = torch.randint(len(ids) - 97, (8,))
        x = torch.stack([ids[i:i + 96] for i in at])
        loss = model(input_ids=x, labels=x).loss
        opt.zero_grad(); loss.backward(); opt.step()
    tokenizer = open(os.path.join(folder, 'tokenizer.json')).read()
    model.to(torch.bfloat16).save_pretrained(folder)
    open(os.path.join(folder, 'tokenizer.json'), 'w').write(tokenizer)


def parents_of(r):
    if r['slices']: return r['expect']['parents']
    return [m.replace(BASE + '+r1-lora-adapter', 'r1-lora-merged') for m, _ in r['models']] + ([r['base']] if r['base'] and r['base'] not in [m for m, _ in r['models']] else [])


def judge(out, zoo, exe, table, names, rows):
    lines, wrong = ['| merge | parents, how stored | says | re-rounded | off by | right |', '|---|---|---|---|---|---|'], 0
    for r in rows:
        at = os.path.join(out, r['name'])
        if names and r['name'] not in names: continue
        parents = parents_of(r)
        other = OTHER if OTHER not in parents else L
        if 'r2' in r['name']: other = 'r2-ft-short' if 'r2-ft-short' not in parents else 'r2-ft-long'
        given = parents + [other]
        p = subprocess.run([exe, 'recipe', at, *[os.path.join(zoo, m) for m in given], '--json'], capture_output=True, text=True)
        if p.returncode:
            lines.append(f"| {r['name']} | | {p.stderr.strip()[:90]} | | | no |"); wrong += 1; continue
        j = json.loads(p.stdout)
        bad, off = check(r, j, given, parents)
        wrong += bool(bad)
        exact = j.get('exactShare')
        lines.append('| {} | {}, {} | {}{} | {} | {} | {} |'.format(r['name'], ' '.join(parents), r['out'] or r['dtype'], j['method'], ', ' + j['after'] if j['after'] != 'merge-only' else '',
                     '' if exact is None else f'{100 * exact:.1f} %', '' if off is None else f'{off:.4f}', 'no: ' + '; '.join(bad) if bad else 'yes'))
        print(lines[-1], flush=True)
    lines.append(f'\n{len(lines) - 2 - wrong} of {len(lines) - 2} right.')
    print(lines[-1])
    if table: open(table, 'w').write('\n'.join(lines) + '\n')
    return int(wrong > 0)


def check(r, j, given, parents):
    bad, off = [], None
    method = r['method'].replace('_', '-')
    if r['trained']:
        if j['method'] != 'unknown': bad.append('method ' + j['method'])
        if j['after'] != 'trained': bad.append('after ' + str(j['after']))
    else:
        if method not in [j['method'], *j['same']]: bad.append('method ' + j['method'])
        if j['after'] != 'merge-only': bad.append('after ' + str(j['after']))
    takes = [m for m, p in zip(given, j['parents']) if p['takesPart'] or j['base'] is not None and given[j['base']] == m]
    must = [m for m in parents if r['trained'] == 0 or r['weights'].get(m, 1) != 0]
    if r['method'] == 'task_arithmetic': must = [m for m in parents if abs(r['weights'][m]) > .02]
    if r['trained'] and r['base'] and r['method'] not in ('slerp', 'task_arithmetic'): must = [m for m in must if m != r['base']]; takes = [m for m in takes if m != r['base']]
    if sorted(takes) != sorted(must): bad.append('parents ' + ' '.join(takes))
    sparse = r['method'] in ('ties', 'dare_linear', 'dare_ties', 'della', 'della_linear', 'breadcrumbs', 'breadcrumbs_ties')
    want = dict(r['weights'])
    if r['trained'] and (sparse or r['method'] == 'model_stock'): want = {}
    got = {m: float(p['weight']) for m, p in zip(given, j['parents'])}
    if sparse and r['params'].get('lambda'): want = {m: w * r['params']['lambda'] for m, w in want.items()}
    if r['params'].get('rescale') is False: got = {m: float(w) for m, w in zip(given, j.get('unscaled') or [9] * len(given))}
    gaps = [abs(got[m] - w) for m, w in want.items()]
    t = r['expect'].get('t')
    if isinstance(t, float): gaps.append(abs(j['t'] - t) if j['t'] is not None else 1)
    if isinstance(t, list): gaps += gradient_gaps(j, t)
    if not r['trained']:
        for key, field in (('density', 'densities'), ('epsilon', 'epsilon'), ('gamma', 'gamma')):
            if key in r['expect']:
                e = r['expect'][key]
                found = j.get(field)
                if isinstance(found, list): found = [found[given.index(m)] for m, _ in r['models']]; e = e if isinstance(e, list) else [e] * len(found); gaps += [abs(a - b) for a, b in zip(found, e)]
                else: gaps.append(abs((found or 0) - e))
        if 'scale' in r['expect']: gaps += [abs(x['scale'] - .5) for x in j['tensors'] if x['role'] in ('layers.4.attn.o', 'layers.5.mlp.down')]
    by = {x['role']: x for x in j['tensors']}
    gaps += [abs(x['scale'] - s) for kind, s in r['expect'].get('scales', {}).items() for role, x in by.items() if role.endswith(kind)]
    gaps += [abs(by[role]['weights'][0] - w) for role, w in r['expect'].get('weights', {}).items()]
    if gaps:
        off = max(gaps)
        if off > .005: bad.append(f'off by {off:.4f}')
    return bad, off


def gradient_gaps(j, filters):
    def at(values, i, n=6):
        x = i / (n - 1) * (len(values) - 1); k = min(int(x), len(values) - 2)
        return values[k] + (x - k) * (values[k + 1] - values[k])
    gaps = []
    for x in j['tensors']:
        if x['weights'] is None or '.' not in x['role'] or not x['role'].startswith('layers.'): continue
        kind, i = x['role'].split('.')[2], int(x['role'].split('.')[1])
        values = next((f['value'] for f in filters if f.get('filter', '').replace('self_', '') == kind), None)
        if values and x['t'] is not None: gaps.append(abs(x['t'] - at(values, i)))
    return gaps or [1.0]


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('what', choices=['make', 'judge']); p.add_argument('out'); p.add_argument('zoo'); p.add_argument('names', nargs='*')
    p.add_argument('--bin', default='weightprint'); p.add_argument('--table'); p.add_argument('--further', action='store_true')
    o = p.parse_args()
    rows = further() if o.further else grid()
    sys.exit(make(o.out, o.zoo, o.names, rows) if o.what == 'make' else judge(o.out, o.zoo, o.bin, o.table, o.names, rows))
