"""Makes single-file checkpoints of diffusion models with few values, and what
diffusers makes of them.

    python3 -m venv /tmp/v && /tmp/v/bin/pip install torch diffusers transformers safetensors
    /tmp/v/bin/python make.py ..

NAME.safetensors has the names of the published file; components.json says what
diffusers' own conversion makes of it: by file, component and tensor the shape and
the first 16 digits of the SHA-256 of the float32 values.
"""

import hashlib
import json
import sys

import torch
from diffusers.loaders import single_file_utils as S
from safetensors.torch import save_file

OUT = sys.argv[1]
G = torch.Generator().manual_seed(7)
W = 4  # width of everything


def r(*shape):
    return torch.randn(*shape, generator=G).half()


def linear(sd, name, out, inp, bias=True):
    sd[name + ".weight"] = r(out, inp)
    if bias:
        sd[name + ".bias"] = r(out)


def norm(sd, name, width=W):
    sd[name + ".weight"], sd[name + ".bias"] = r(width), r(width)


def conv(sd, name, out=W, inp=W, k=1):
    sd[name + ".weight"], sd[name + ".bias"] = r(out, inp, k, k), r(out)


def resblock(sd, p, skip):
    norm(sd, p + ".in_layers.0"); conv(sd, p + ".in_layers.2"); linear(sd, p + ".emb_layers.1", W, W)
    norm(sd, p + ".out_layers.0"); conv(sd, p + ".out_layers.3")
    if skip:
        conv(sd, p + ".skip_connection")


def transformer(sd, p, depth, linear_proj):
    norm(sd, p + ".norm")
    proj = (lambda n: linear(sd, n, W, W)) if linear_proj else (lambda n: conv(sd, n))
    proj(p + ".proj_in")
    for d in range(depth):
        b = f"{p}.transformer_blocks.{d}"
        for a in ("attn1", "attn2"):
            for x in ("to_q", "to_k", "to_v"):
                linear(sd, f"{b}.{a}.{x}", W, W, bias=False)
            linear(sd, f"{b}.{a}.to_out.0", W, W)
        linear(sd, b + ".ff.net.0.proj", 2 * W, W); linear(sd, b + ".ff.net.2", W, W)
        for n in ("norm1", "norm2", "norm3"):
            norm(sd, f"{b}.{n}")
    proj(p + ".proj_out")


def unet(sd, levels, depths, label, linear_proj):
    """The modules in the order in which ldm's UNetModel counts them."""
    p = "model.diffusion_model."
    linear(sd, p + "time_embed.0", W, W); linear(sd, p + "time_embed.2", W, W)
    if label:
        linear(sd, p + "label_emb.0.0", W, W); linear(sd, p + "label_emb.0.2", W, W)
    conv(sd, p + "input_blocks.0.0")
    n = 1
    for level in range(levels):
        for _ in range(2):
            resblock(sd, f"{p}input_blocks.{n}.0", level > 0)
            if depths[level]:
                transformer(sd, f"{p}input_blocks.{n}.1", depths[level], linear_proj)
            n += 1
        if level != levels - 1:
            conv(sd, f"{p}input_blocks.{n}.0.op"); n += 1
    resblock(sd, p + "middle_block.0", False)
    transformer(sd, p + "middle_block.1", max(depths), linear_proj)
    resblock(sd, p + "middle_block.2", False)
    n = 0
    for level in reversed(range(levels)):
        for i in range(3):
            resblock(sd, f"{p}output_blocks.{n}.0", True)
            k = 1
            if depths[level]:
                transformer(sd, f"{p}output_blocks.{n}.1", depths[level], linear_proj); k = 2
            if level and i == 2:
                conv(sd, f"{p}output_blocks.{n}.{k}.conv")
            n += 1
    norm(sd, p + "out.0"); conv(sd, p + "out.2")


def vae(sd, p, quant=True):
    def res(q, skip):
        norm(sd, q + ".norm1"); conv(sd, q + ".conv1"); norm(sd, q + ".norm2"); conv(sd, q + ".conv2")
        if skip:
            conv(sd, q + ".nin_shortcut")
    for side, blocks, word in (("encoder", 2, "down"), ("decoder", 3, "up")):
        conv(sd, f"{p}{side}.conv_in")
        for i in range(4):
            for j in range(blocks):
                res(f"{p}{side}.{word}.{i}.block.{j}", j == 0 and i > 0)
            if i != (3 if side == "encoder" else 0):
                conv(sd, f"{p}{side}.{word}.{i}.{word}sample.conv")
        res(f"{p}{side}.mid.block_1", False); res(f"{p}{side}.mid.block_2", False)
        norm(sd, f"{p}{side}.mid.attn_1.norm")
        for x in ("q", "k", "v", "proj_out"):
            conv(sd, f"{p}{side}.mid.attn_1.{x}")
        norm(sd, f"{p}{side}.norm_out"); conv(sd, f"{p}{side}.conv_out")
    if quant:
        conv(sd, p + "quant_conv"); conv(sd, p + "post_quant_conv")


def clip(sd, p, layers=2, projection=False):
    p += "text_model."
    sd[p + "embeddings.token_embedding.weight"] = r(9, W)
    sd[p + "embeddings.position_embedding.weight"] = r(5, W)
    sd[p + "embeddings.position_ids"] = torch.arange(5)[None]
    for i in range(layers):
        q = f"{p}encoder.layers.{i}."
        for x in "qkv":
            linear(sd, f"{q}self_attn.{x}_proj", W, W)
        linear(sd, q + "self_attn.out_proj", W, W)
        linear(sd, q + "mlp.fc1", 2 * W, W); linear(sd, q + "mlp.fc2", W, 2 * W)
        norm(sd, q + "layer_norm1"); norm(sd, q + "layer_norm2")
    norm(sd, p + "final_layer_norm")


def openclip(sd, p, layers):
    sd[p + "token_embedding.weight"], sd[p + "positional_embedding"] = r(9, W), r(5, W)
    for i in range(layers):
        q = f"{p}transformer.resblocks.{i}."
        sd[q + "attn.in_proj_weight"], sd[q + "attn.in_proj_bias"] = r(3 * W, W), r(3 * W)
        linear(sd, q + "attn.out_proj", W, W)
        norm(sd, q + "ln_1"); norm(sd, q + "ln_2")
        linear(sd, q + "mlp.c_fc", 2 * W, W); linear(sd, q + "mlp.c_proj", W, 2 * W)
    norm(sd, p + "ln_final")
    sd[p + "text_projection"] = r(W, W)
    sd[p + "logit_scale"] = r(1)[0]


def save(name, sd):
    save_file({k: v.clone().contiguous() for k, v in sd.items()}, f"{OUT}/{name}.safetensors")


EXPECTED = {}


def expect(name, sd):
    file, component = name.split(".")
    EXPECTED.setdefault(file, {})[component] = {
        k: f"{list(v.shape)} {hashlib.sha256(v.float().contiguous().numpy().tobytes()).hexdigest()[:16]}" for k, v in sd.items()}


class Text:
    class config:
        hidden_size = W


def ids(sd):
    return {k: v for k, v in sd.items() if not k.endswith("position_ids")}


VAE = {"down_block_types": [0] * 4, "up_block_types": [0] * 4}


def unet_config(levels, label):
    c = {"layers_per_block": 2, "down_block_types": ["x"] * levels, "up_block_types": ["x"] * levels, "class_embed_type": None, "addition_embed_type": None}
    if label:
        c |= {"addition_embed_type": "text_time"}
    return c


def sd1():
    sd = {}
    unet(sd, 4, [1, 1, 1, 0], False, False); vae(sd, "first_stage_model."); clip(sd, "cond_stage_model.transformer.")
    sd["alphas_cumprod"] = r(5)
    save("sd1", sd)
    expect("sd1.unet", S.convert_ldm_unet_checkpoint(dict(sd), unet_config(4, False)))
    expect("sd1.vae", S.convert_ldm_vae_checkpoint(dict(sd), VAE))
    expect("sd1.text_encoder", ids(S.convert_ldm_clip_checkpoint(dict(sd))))


def sd2():
    sd = {}
    openclip(sd, "cond_stage_model.model.", 24)
    save("sd2", sd)
    expect("sd2.text_encoder", S.convert_open_clip_checkpoint(Text, dict(sd), "cond_stage_model.model."))


def sdxl():
    sd = {}
    unet(sd, 3, [0, 1, 2], True, True); vae(sd, "first_stage_model.")
    clip(sd, "conditioner.embedders.0.transformer."); openclip(sd, "conditioner.embedders.1.model.", 2)
    save("sdxl", sd)
    expect("sdxl.unet", S.convert_ldm_unet_checkpoint(dict(sd), unet_config(3, True)))
    expect("sdxl.vae", S.convert_ldm_vae_checkpoint(dict(sd), VAE))
    expect("sdxl.text_encoder", ids(S.convert_ldm_clip_checkpoint(dict(sd), remove_prefix="conditioner.embedders.0.transformer.")))
    expect("sdxl.text_encoder_2", S.convert_open_clip_checkpoint(Text, dict(sd), "conditioner.embedders.1.model."))


def sd3():
    sd = {}
    p, h = "model.diffusion_model.", W
    sd[p + "pos_embed"] = r(1, 6, h)
    conv(sd, p + "x_embedder.proj", h, 2, 2)
    for x in ("t_embedder.mlp.0", "t_embedder.mlp.2", "y_embedder.mlp.0", "y_embedder.mlp.2"):
        linear(sd, p + x, h, h)
    linear(sd, p + "context_embedder", h, 6)
    for i in range(3):
        for side in ("x_block", "context_block"):
            q, last = f"{p}joint_blocks.{i}.{side}.", i == 2 and side == "context_block"
            dual = i == 0 and side == "x_block"
            linear(sd, q + "adaLN_modulation.1", (2 if last else 9 if dual else 6) * h, h)
            for a in ("attn", "attn2") if dual else ("attn",):
                linear(sd, q + a + ".qkv", 3 * h, h)
                sd[q + a + ".ln_q.weight"], sd[q + a + ".ln_k.weight"] = r(2), r(2)
                if not last:
                    linear(sd, q + a + ".proj", h, h)
            if not last:
                linear(sd, q + "mlp.fc1", 4 * h, h); linear(sd, q + "mlp.fc2", h, 4 * h)
    linear(sd, p + "final_layer.linear", 8, h); linear(sd, p + "final_layer.adaLN_modulation.1", 2 * h, h)
    vae(sd, "first_stage_model.", quant=False)
    clip(sd, "text_encoders.clip_l.transformer."); linear(sd, "text_encoders.clip_l.transformer.text_projection", W, W, bias=False)
    clip(sd, "text_encoders.clip_g.transformer.", 3)
    sd["text_encoders.t5xxl.transformer.shared.weight"] = r(9, W)
    sd["text_encoders.t5xxl.transformer.encoder.block.0.layer.0.SelfAttention.q.weight"] = r(W, W)
    save("sd3", sd)
    expect("sd3.transformer", S.convert_sd3_transformer_checkpoint_to_diffusers(dict(sd)))
    expect("sd3.vae", S.convert_ldm_vae_checkpoint(dict(sd), VAE))
    expect("sd3.text_encoder", ids(S.convert_ldm_clip_checkpoint(dict(sd), remove_prefix="text_encoders.clip_l.transformer.")))
    expect("sd3.text_encoder_2", ids(S.convert_ldm_clip_checkpoint(dict(sd), remove_prefix="text_encoders.clip_g.transformer.")))
    expect("sd3.text_encoder_3", S.convert_sd3_t5_checkpoint_to_diffusers(dict(sd)))


def flux():
    sd, h = {}, W
    for x in ("time_in", "vector_in", "guidance_in"):
        linear(sd, x + ".in_layer", h, h); linear(sd, x + ".out_layer", h, h)
    linear(sd, "txt_in", h, 6); linear(sd, "img_in", h, 8)
    for i in range(2):
        for s in ("img", "txt"):
            q = f"double_blocks.{i}.{s}"
            linear(sd, q + "_mod.lin", 6 * h, h); linear(sd, q + "_attn.qkv", 3 * h, h); linear(sd, q + "_attn.proj", h, h)
            sd[q + "_attn.norm.query_norm.scale"], sd[q + "_attn.norm.key_norm.scale"] = r(2), r(2)
            linear(sd, q + "_mlp.0", 4 * h, h); linear(sd, q + "_mlp.2", h, 4 * h)
    for i in range(3):
        q = f"single_blocks.{i}."
        linear(sd, q + "modulation.lin", 3 * h, h)
        linear(sd, q + "linear1", 7 * h, h); linear(sd, q + "linear2", h, 5 * h)
        sd[q + "norm.query_norm.scale"], sd[q + "norm.key_norm.scale"] = r(2), r(2)
    linear(sd, "final_layer.linear", 8, h); linear(sd, "final_layer.adaLN_modulation.1", 2 * h, h)
    save("flux", sd)
    # The conversion takes the width for the published one where it cuts linear1.
    import inspect
    code = inspect.getsource(S.convert_flux_transformer_checkpoint_to_diffusers).replace("inner_dim = 3072", f"inner_dim = {h}")
    exec(code, S.__dict__)
    expect("flux.transformer", S.__dict__["convert_flux_transformer_checkpoint_to_diffusers"](dict(sd)))


for step in (sd1, sd2, sdxl, sd3, flux):
    step()
json.dump(EXPECTED, open(f"{OUT}/components.json", "w"), separators=(",", ":"))
