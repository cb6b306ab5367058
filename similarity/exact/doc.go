// Package exact holds the tests whose p-value has a closed form. Most ask about
// unit labels: is unit j of B the one
// most like unit j of A (fixed points)? Do the matches of B's units come in
// order (order)? Do matched units agree in sign (signs)? Is every unit closer
// to its namesake than to its neighbour's (swaps)?
//
// Null of all of them: A and B come from independent random initialisations.
// Then the units of A carry their labels, and where flipping a unit leaves the
// network unchanged also their signs, in uniformly random order as seen from
// B. Proofs are in docs/STATISTICS.md.
//
// Assumptions, checked on the data by package similarity before any p-value
// is given: the units are exchangeable (no trend along the axis), can be told
// apart, span enough dimensions, and are no fixed table.
package exact
