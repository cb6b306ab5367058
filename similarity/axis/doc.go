// Package axis reads units as vectors. An axis is a set of units that one
// symmetry of the network relabels, such as the hidden units of an MLP. For each
// axis a sample of units is read from both subjects, in stages that read more and
// more, and the cosines between the units of the two sides are computed.
//
// Units are seen in raw coordinates where the two residual streams have one
// basis, and through their responses to shared tokens where they may not
// (anchored coordinates). Guards look at each side alone and say why an axis can
// give no p-value: too few units that can be told apart, too low a rank, units
// whose order is not random, or a fixed table.
package axis
