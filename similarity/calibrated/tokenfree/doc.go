// Package tokenfree compares the hidden units of two networks without tokens,
// labels or a common basis.
//
// A copy may have had its units permuted, their signs flipped, their scales
// traded, its residual stream rotated, its gains moved and its vocabulary
// replaced. What none of these alters are inner products of the network with
// itself: the lengths and angles of a unit's rows, and the quadratic forms of
// these rows in the Gram matrices of whole layers, which turn with the
// residual stream. Units are first matched by such signatures alone. From the
// matched units of some layers follows the rotation between the two residual
// streams (orthogonal Procrustes), which is refined in turn with the matches;
// under it units are counted, in layers that took no part in the fit, whose
// best partner is the same through two groups of views, each mutually.
//
// The count does not depend on any arrangement by rotation, permutation, sign
// or scale: these are divided out. There is no closed-form null; it is held
// against controls, and against what a rotation aimed at all layers reaches
// (see Ceiling).
package tokenfree
