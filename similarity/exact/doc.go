// Package exact holds the tests whose p-value has a closed form. Most ask about
// unit labels: is unit j of B the one most like unit j of A (fixed points)? Do
// the matches of B's units come in order (order)? Do matched units agree in sign
// (signs)? Is every unit closer to its namesake than to its neighbour's (swaps)?
// One asks about embeddings that training left where they were: do the products
// among them have the same signs (token signs)?
//
// The null is the same for all: A and B come from independent random
// initialisations. Then the units of A carry their labels in uniformly random
// order as seen from B, and where flipping a unit leaves the network unchanged,
// their signs are random too. Proofs are in docs/STATISTICS.md.
//
// The assumptions are checked on the data before any p-value is given, for units
// by package axis: the units are exchangeable (no trend along the axis), can be
// told apart, span enough dimensions, and are no fixed table.
package exact
