// Package evalue measures evidence on unit labels by e-values: numbers that
// are never negative and whose mean is at most 1 under the null, whatever the
// data. The null is that of package exact: the two networks come from
// independent random initialisations, so the units of one carry their labels
// in uniformly random order as seen from the other.
//
// An e-value E gives the p-value min(1, 1/E) by Markov's inequality. Unlike
// p-values, e-values of independent axes multiply, their weighted mean is one
// again, and a product of them may be stopped at any moment: by Ville's
// inequality it ever exceeds 1/α with probability at most α (Vovk and Wang,
// "E-values: calibration, combination and applications", Annals of Statistics
// 2021; Ramdas et al., "Game-theoretic statistics and safe anytime-valid
// inference", Statistical Science 2023). So a reader may go on until the
// matter is decided and pays nothing for having looked.
package evalue
