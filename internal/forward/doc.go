// Package forward runs networks on tokens: the common decoders and BERT's
// encoders, in float32, from the views of package roles. It exists to ask what
// parts of a network its output rests on, so several variants of one network,
// each with other parts removed, run side by side and share every weight read.
//
// Weights are read layer by layer and matrix by matrix; no more than a block of
// one matrix is held. The results are the same bits on every processor and for
// any number of workers: every sum has a fixed order, no product is fused into
// a sum, and the functions of this package take the place of the mathematical
// library's, whose last bits differ between machines.
//
// What is not supported is an error that says so and wraps [ErrUnsupported]:
// mixtures of experts, low-rank attention, unknown types, configurations that
// leave out what the weights cannot show.
package forward
