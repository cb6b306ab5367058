package pipeline

// autoencoder are the images' encoder and decoder. The decoder's blocks are counted
// from the other end: the number becomes "up:N", which layout.name turns round.
var autoencoder = compiled([]rule{
	{from: `(encoder|decoder)\.norm_out\.(\w+)`, to: "$1.conv_norm_out.$2"},
	{from: `encoder\.down\.(\d+)\.block\.(\d+)\.nin_shortcut\.(\w+)`, to: "encoder.down_blocks.$1.resnets.$2.conv_shortcut.$3"},
	{from: `encoder\.down\.(\d+)\.block\.(\d+)\.(.+)`, to: "encoder.down_blocks.$1.resnets.$2.$3"},
	{from: `encoder\.down\.(\d+)\.downsample\.(.+)`, to: "encoder.down_blocks.$1.downsamplers.0.$2"},
	{from: `decoder\.up\.(\d+)\.block\.(\d+)\.nin_shortcut\.(\w+)`, to: "decoder.up_blocks.up:$1.resnets.$2.conv_shortcut.$3"},
	{from: `decoder\.up\.(\d+)\.block\.(\d+)\.(.+)`, to: "decoder.up_blocks.up:$1.resnets.$2.$3"},
	{from: `decoder\.up\.(\d+)\.upsample\.(.+)`, to: "decoder.up_blocks.up:$1.upsamplers.0.$2"},
	{from: `(encoder|decoder)\.mid\.block_1\.(.+)`, to: "$1.mid_block.resnets.0.$2"},
	{from: `(encoder|decoder)\.mid\.block_2\.(.+)`, to: "$1.mid_block.resnets.1.$2"},
	{from: `(encoder|decoder)\.mid\.attn_1\.norm\.(\w+)`, to: "$1.mid_block.attentions.0.group_norm.$2"},
	{from: `(encoder|decoder)\.mid\.attn_1\.([qkv])\.(\w+)`, to: "$1.mid_block.attentions.0.to_$2.$3", how: flatten},
	{from: `(encoder|decoder)\.mid\.attn_1\.proj_out\.(\w+)`, to: "$1.mid_block.attentions.0.to_out.0.$2", how: flatten},
	{from: `loss\..*|model_ema\..*`},
})

// clip is the text encoder as the transformers library has it.
var clip = compiled([]rule{
	{from: `(?:logit_scale|.*\.position_ids)`},
	{from: `transformer\.(text_model\..+)`, to: "$1"},
	{from: `transformer\.(text_projection\..+)`, to: "$1"},
})

// openCLIPH is that of Stable Diffusion 2, which stops before the last of its layers:
// diffusers leaves out what is not used.
var openCLIPH = append(compiled([]rule{{from: `(?:model\.)?(?:transformer\.resblocks\.23\..+|text_projection)`}}), openCLIP...)

// openCLIP is the text encoder of open_clip: attention's input matrices are fused,
// and the projection lies inputs × outputs.
var openCLIP = compiled([]rule{
	{from: `(?:model\.)?token_embedding\.weight`, to: "text_model.embeddings.token_embedding.weight"},
	{from: `(?:model\.)?positional_embedding`, to: "text_model.embeddings.position_embedding.weight"},
	{from: `(?:model\.)?ln_final\.(\w+)`, to: "text_model.final_layer_norm.$1"},
	{from: `(?:model\.)?text_projection`, to: "text_projection.weight", how: turn},
	{from: `(?:model\.)?text_projection\.weight`, to: "text_projection.weight"},
	{from: `(?:model\.)?transformer\.resblocks\.(\d+)\.ln_([12])\.(\w+)`, to: "text_model.encoder.layers.$1.layer_norm$2.$3"},
	{from: `(?:model\.)?transformer\.resblocks\.(\d+)\.mlp\.c_fc\.(\w+)`, to: "text_model.encoder.layers.$1.mlp.fc1.$2"},
	{from: `(?:model\.)?transformer\.resblocks\.(\d+)\.mlp\.c_proj\.(\w+)`, to: "text_model.encoder.layers.$1.mlp.fc2.$2"},
	{from: `(?:model\.)?transformer\.resblocks\.(\d+)\.attn\.out_proj\.(\w+)`, to: "text_model.encoder.layers.$1.self_attn.out_proj.$2"},
	{from: `(?:model\.)?transformer\.resblocks\.(\d+)\.attn\.in_proj_(\w+)`, how: evenly,
		to: "text_model.encoder.layers.$1.self_attn.q_proj.$2 text_model.encoder.layers.$1.self_attn.k_proj.$2 text_model.encoder.layers.$1.self_attn.v_proj.$2"},
	{from: `(?:model\.)?(?:logit_scale|attn_mask|logit_bias)`},
})

// plainText are text encoders that lie under their own names in SD 3's files.
var plainText = compiled([]rule{{from: `(?:transformer\.)?(.+)`, to: "$1"}})

// flux is the transformer of Flux 1.
var flux = compiled([]rule{
	{from: `time_in\.in_layer\.(\w+)`, to: "time_text_embed.timestep_embedder.linear_1.$1"},
	{from: `time_in\.out_layer\.(\w+)`, to: "time_text_embed.timestep_embedder.linear_2.$1"},
	{from: `vector_in\.in_layer\.(\w+)`, to: "time_text_embed.text_embedder.linear_1.$1"},
	{from: `vector_in\.out_layer\.(\w+)`, to: "time_text_embed.text_embedder.linear_2.$1"},
	{from: `guidance_in\.in_layer\.(\w+)`, to: "time_text_embed.guidance_embedder.linear_1.$1"},
	{from: `guidance_in\.out_layer\.(\w+)`, to: "time_text_embed.guidance_embedder.linear_2.$1"},
	{from: `txt_in\.(\w+)`, to: "context_embedder.$1"},
	{from: `img_in\.(\w+)`, to: "x_embedder.$1"},
	{from: `final_layer\.linear\.(\w+)`, to: "proj_out.$1"},
	{from: `final_layer\.adaLN_modulation\.1\.(\w+)`, to: "norm_out.linear.$1", how: exchange},

	{from: `double_blocks\.(\d+)\.img_mod\.lin\.(\w+)`, to: "transformer_blocks.$1.norm1.linear.$2"},
	{from: `double_blocks\.(\d+)\.txt_mod\.lin\.(\w+)`, to: "transformer_blocks.$1.norm1_context.linear.$2"},
	{from: `double_blocks\.(\d+)\.img_attn\.qkv\.(\w+)`, how: evenly,
		to: "transformer_blocks.$1.attn.to_q.$2 transformer_blocks.$1.attn.to_k.$2 transformer_blocks.$1.attn.to_v.$2"},
	{from: `double_blocks\.(\d+)\.txt_attn\.qkv\.(\w+)`, how: evenly,
		to: "transformer_blocks.$1.attn.add_q_proj.$2 transformer_blocks.$1.attn.add_k_proj.$2 transformer_blocks.$1.attn.add_v_proj.$2"},
	{from: `double_blocks\.(\d+)\.img_attn\.norm\.query_norm\.(?:scale|weight)`, to: "transformer_blocks.$1.attn.norm_q.weight"},
	{from: `double_blocks\.(\d+)\.img_attn\.norm\.key_norm\.(?:scale|weight)`, to: "transformer_blocks.$1.attn.norm_k.weight"},
	{from: `double_blocks\.(\d+)\.txt_attn\.norm\.query_norm\.(?:scale|weight)`, to: "transformer_blocks.$1.attn.norm_added_q.weight"},
	{from: `double_blocks\.(\d+)\.txt_attn\.norm\.key_norm\.(?:scale|weight)`, to: "transformer_blocks.$1.attn.norm_added_k.weight"},
	{from: `double_blocks\.(\d+)\.img_attn\.proj\.(\w+)`, to: "transformer_blocks.$1.attn.to_out.0.$2"},
	{from: `double_blocks\.(\d+)\.txt_attn\.proj\.(\w+)`, to: "transformer_blocks.$1.attn.to_add_out.$2"},
	{from: `double_blocks\.(\d+)\.img_mlp\.0\.(\w+)`, to: "transformer_blocks.$1.ff.net.0.proj.$2"},
	{from: `double_blocks\.(\d+)\.img_mlp\.2\.(\w+)`, to: "transformer_blocks.$1.ff.net.2.$2"},
	{from: `double_blocks\.(\d+)\.txt_mlp\.0\.(\w+)`, to: "transformer_blocks.$1.ff_context.net.0.proj.$2"},
	{from: `double_blocks\.(\d+)\.txt_mlp\.2\.(\w+)`, to: "transformer_blocks.$1.ff_context.net.2.$2"},

	{from: `single_blocks\.(\d+)\.modulation\.lin\.(\w+)`, to: "single_transformer_blocks.$1.norm.linear.$2"},
	{from: `single_blocks\.(\d+)\.linear1\.(\w+)`, how: byWidth,
		to: "single_transformer_blocks.$1.attn.to_q.$2 single_transformer_blocks.$1.attn.to_k.$2 single_transformer_blocks.$1.attn.to_v.$2 single_transformer_blocks.$1.proj_mlp.$2"},
	{from: `single_blocks\.(\d+)\.linear2\.(\w+)`, to: "single_transformer_blocks.$1.proj_out.$2"},
	{from: `single_blocks\.(\d+)\.norm\.query_norm\.(?:scale|weight)`, to: "single_transformer_blocks.$1.attn.norm_q.weight"},
	{from: `single_blocks\.(\d+)\.norm\.key_norm\.(?:scale|weight)`, to: "single_transformer_blocks.$1.attn.norm_k.weight"},
})

// sd3 is the transformer of Stable Diffusion 3 and 3.5. The last block has no
// context output; its modulation has two parts, which change places.
var sd3 = compiled([]rule{
	{from: `pos_embed`, to: "pos_embed.pos_embed"},
	{from: `x_embedder\.proj\.(\w+)`, to: "pos_embed.proj.$1"},
	{from: `t_embedder\.mlp\.0\.(\w+)`, to: "time_text_embed.timestep_embedder.linear_1.$1"},
	{from: `t_embedder\.mlp\.2\.(\w+)`, to: "time_text_embed.timestep_embedder.linear_2.$1"},
	{from: `y_embedder\.mlp\.0\.(\w+)`, to: "time_text_embed.text_embedder.linear_1.$1"},
	{from: `y_embedder\.mlp\.2\.(\w+)`, to: "time_text_embed.text_embedder.linear_2.$1"},
	{from: `final_layer\.linear\.(\w+)`, to: "proj_out.$1"},
	{from: `final_layer\.adaLN_modulation\.1\.(\w+)`, to: "norm_out.linear.$1", how: exchange},

	{from: `joint_blocks\.(\d+)\.x_block\.adaLN_modulation\.1\.(\w+)`, to: "transformer_blocks.$1.norm1.linear.$2"},
	{from: `joint_blocks\.(\d+)\.context_block\.adaLN_modulation\.1\.(\w+)`, to: "transformer_blocks.$1.norm1_context.linear.$2", how: exchangeOfTwo},
	{from: `joint_blocks\.(\d+)\.x_block\.attn\.qkv\.(\w+)`, how: evenly,
		to: "transformer_blocks.$1.attn.to_q.$2 transformer_blocks.$1.attn.to_k.$2 transformer_blocks.$1.attn.to_v.$2"},
	{from: `joint_blocks\.(\d+)\.x_block\.attn2\.qkv\.(\w+)`, how: evenly,
		to: "transformer_blocks.$1.attn2.to_q.$2 transformer_blocks.$1.attn2.to_k.$2 transformer_blocks.$1.attn2.to_v.$2"},
	{from: `joint_blocks\.(\d+)\.context_block\.attn\.qkv\.(\w+)`, how: evenly,
		to: "transformer_blocks.$1.attn.add_q_proj.$2 transformer_blocks.$1.attn.add_k_proj.$2 transformer_blocks.$1.attn.add_v_proj.$2"},
	{from: `joint_blocks\.(\d+)\.x_block\.(attn2?)\.ln_([qk])\.weight`, to: "transformer_blocks.$1.$2.norm_$3.weight"},
	{from: `joint_blocks\.(\d+)\.context_block\.attn\.ln_([qk])\.weight`, to: "transformer_blocks.$1.attn.norm_added_$2.weight"},
	{from: `joint_blocks\.(\d+)\.x_block\.(attn2?)\.proj\.(\w+)`, to: "transformer_blocks.$1.$2.to_out.0.$3"},
	{from: `joint_blocks\.(\d+)\.context_block\.attn\.proj\.(\w+)`, to: "transformer_blocks.$1.attn.to_add_out.$2"},
	{from: `joint_blocks\.(\d+)\.x_block\.mlp\.fc1\.(\w+)`, to: "transformer_blocks.$1.ff.net.0.proj.$2"},
	{from: `joint_blocks\.(\d+)\.x_block\.mlp\.fc2\.(\w+)`, to: "transformer_blocks.$1.ff.net.2.$2"},
	{from: `joint_blocks\.(\d+)\.context_block\.mlp\.fc1\.(\w+)`, to: "transformer_blocks.$1.ff_context.net.0.proj.$2"},
	{from: `joint_blocks\.(\d+)\.context_block\.mlp\.fc2\.(\w+)`, to: "transformer_blocks.$1.ff_context.net.2.$2"},
})
