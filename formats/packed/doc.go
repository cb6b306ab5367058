// Package packed presents tensors that a checkpoint stores in several as the
// logical tensors they stand for: matrices quantised by GPTQ, AWQ,
// bitsandbytes, compressed-tensors, ModelOpt or MLX, blocks of MXFP4 and FP8,
// and base models with a LoRA adapter applied. It refuses to guess: a set of
// tensors that does not fit its layout is a typed error, a convention that
// neither the configuration nor the data decide is a warning.
//
// [Unpack] turns a model as stored into a model of logical tensors. Their
// values are the exact product of the stored numbers in float32, each step
// rounded once; matrices are outputs × inputs whatever the packing.
package packed
