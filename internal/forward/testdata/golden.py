"""Makes the small random models of this folder and the outputs that transformers gives for them.

    pip install torch transformers numpy safetensors
    python golden.py          (writes a folder for every model beside this file)
"""
import json
import os

import torch
import transformers as T

HERE = os.path.dirname(os.path.abspath(__file__))
COMMON = dict(vocab_size=48, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=64, bos_token_id=0, eos_token_id=1, pad_token_id=0)


def rope(kind="default", theta=1e4, **more):
    return dict(rope_type=kind, rope_theta=theta, **more)


def config(cls, drop=(), **more):
    return cls(**{k: v for k, v in {**COMMON, **more}.items() if k not in drop})


GPT = dict(n_embd=32, n_layer=2, n_head=4, n_positions=64, vocab_size=48, bos_token_id=0, eos_token_id=1)
MODELS = {
    "llama": (T.LlamaForCausalLM, config(T.LlamaConfig, head_dim=16, rms_norm_eps=1e-5)),
    "llama3": (T.LlamaForCausalLM, config(T.LlamaConfig, head_dim=16, tie_word_embeddings=True, attention_bias=True, mlp_bias=True, rope_parameters=rope(
        "llama3", 500000., factor=8., low_freq_factor=1., high_freq_factor=4., original_max_position_embeddings=16))),
    "mistral": (T.MistralForCausalLM, config(T.MistralConfig, head_dim=8, sliding_window=None, rope_parameters=rope("linear", factor=4.))),
    "qwen2": (T.Qwen2ForCausalLM, config(T.Qwen2Config)),
    "qwen3": (T.Qwen3ForCausalLM, config(T.Qwen3Config, head_dim=16)),
    "olmo2": (T.Olmo2ForCausalLM, config(T.Olmo2Config)),
    "phi3": (T.Phi3ForCausalLM, config(T.Phi3Config, rope_parameters=dict(rope("default"), partial_rotary_factor=.5))),
    "gemma": (T.GemmaForCausalLM, config(T.GemmaConfig, head_dim=16)),
    "gemma2": (T.Gemma2ForCausalLM, config(T.Gemma2Config, head_dim=16, query_pre_attn_scalar=10, attn_logit_softcapping=2., final_logit_softcapping=3.)),
    "gemma3": (T.Gemma3ForCausalLM, config(T.Gemma3TextConfig, head_dim=16, num_hidden_layers=3, query_pre_attn_scalar=24, layer_types=[
        "sliding_attention", "sliding_attention", "full_attention"], sliding_window_pattern=3,
        rope_parameters={"full_attention": rope("linear", 1e6, factor=8.), "sliding_attention": rope()})),
    "phi": (T.PhiForCausalLM, config(T.PhiConfig, rope_parameters=dict(rope(), partial_rotary_factor=.5))),
    "gptj": (T.GPTJForCausalLM, T.GPTJConfig(rotary_dim=4, **GPT)),
    "neox": (T.GPTNeoXForCausalLM, config(T.GPTNeoXConfig, drop=("num_key_value_heads",))),
    "neox-serial": (T.GPTNeoXForCausalLM, config(T.GPTNeoXConfig, drop=("num_key_value_heads",), use_parallel_residual=False)),
    "gpt2": (T.GPT2LMHeadModel, T.GPT2Config(**GPT)),
    "bert": (T.BertModel, config(T.BertConfig, drop=("num_key_value_heads",))),
    "roberta": (T.RobertaModel, config(T.RobertaConfig, drop=("num_key_value_heads",), max_position_embeddings=66, pad_token_id=1)),
}

if __name__ == "__main__":
    for seed, (name, (cls, cfg)) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        cfg._attn_implementation = "eager"
        model = cls(cfg).eval().float()
        with torch.no_grad():
            for p in model.parameters():  # far from the start of training, so that every part counts
                p.copy_((p + torch.randn_like(p) * (.25 if p.dim() > 1 else .3)).bfloat16().float())
            text = torch.randint(2, 48, (2, 12))
            out = model(input_ids=text)
            out = out.logits if hasattr(out, "logits") else out.last_hidden_state
        folder = os.path.join(HERE, name)
        os.makedirs(folder, exist_ok=True)
        model.bfloat16().save_pretrained(folder)
        for extra in ("generation_config.json",):
            if os.path.exists(os.path.join(folder, extra)):
                os.remove(os.path.join(folder, extra))
        with open(os.path.join(folder, "golden.json"), "w") as f:
            json.dump(dict(transformers=T.__version__, text=text.tolist(), output=[float("%.6g" % v) for v in out.flatten().tolist()]), f)
        print(name, tuple(out.shape), "%.3g" % out.std())
