// Package pipeline takes components out of the checkpoints in which diffusion
// models are published as one file: Stable Diffusion 1, 2, XL and 3, Flux. A
// component is given under the names, and in the pieces, that the folders of the
// diffusers library have for it: fused queries, keys and values are cut apart,
// and the shift and scale of the last modulation change places. The tables
// follow the layout of both; they are held against diffusers' own conversion.
package pipeline
