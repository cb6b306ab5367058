// Package carry asks whether what two networks have in common does any work. The
// one who shows a file may have planted the other's values in it where its output
// does not use them: idle units or layers, sets of units that sum to nothing,
// residual dimensions that the head ignores. No norm of single units shows it. So
// everything that agrees is removed together from each network by itself, and the
// change of its output is held against that of removing the same parts whole:
//
//	carry = change without what agrees / change without the parts
//
// A child and its parent rest on what they share: the carry is near the share of
// units that agree on both sides. A network that carries another as a passenger has
// none, while the other, from which the values were taken, has some.
//
// Units agree when they are each other's best partner in two views, the gate and
// the up row (or the up row and the down column where there is no gate), in raw or
// in token-anchored coordinates, or under a basis fitted to other layers; heads by the spaces that they read and write
// ([Agreeing]). Outputs are compared on texts that
// each network writes for itself, so that tokens and inputs that it does not use
// have no part in it ([Measure]). Units that take back what the agreeing ones give
// are removed with them.
//
// Tokens of its own may set a passenger to work in texts of these. So the same is also
// asked of the tenth of the tokens that rest least on what agrees ([Side.LeastWeight]).
//
// What it cannot see: values that work on inputs of which the network writes none,
// and passengers whose output later layers take back.
package carry
