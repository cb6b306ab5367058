// Package equality pairs the tensors of two models that hold the same values,
// before any name or role is asked: a model whose tensors were all renamed,
// whose shards were cut elsewhere, whose kernels stand transposed or whose
// values were rounded to a narrower type is still the same model.
//
// [Match] reads every tensor of both models once and marks it by its values in
// whatever order; tensors of one mark are then compared value by value, under
// every order of axes that their shapes allow. A mark decides nothing: what is
// paired was found equal.
package equality
