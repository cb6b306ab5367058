// Package weightprint is the map of this module; it has no API of its own.
//
// weightprint decides from the weights alone whether two neural networks share
// weights, which parts, how one was made from the other, and how sure that is.
// One chain leads from bytes to a verdict, and imports run along it one way:
//
//	formats/source     bytes of a file
//	formats/tensor     the vocabulary: element types, tensors, models
//	formats/…          one strict reader for each format
//	formats/roles      which tensor plays which part
//	formats            Open: any checkpoint, however it is stored
//	fingerprint        digests of exact values
//	similarity/align   which part of A stands against which part of B
//	similarity/axis    units as vectors, and the guards before a p-value
//	similarity/stats   p-values, how they combine, correlations
//	similarity/…       evidence: exact and calibrated tests, each with a stated null
//	report/verdict     facts to a verdict; thresholds.go has every number
//	report             Compare, the door: two checkpoints to a report
//	report/…           audits, plans, recipes, trees and forms of reports
//	cmd/weightprint    all of it from a shell
//	python, web        the same from Python, and inside a web page
//	examples           programs for a gate, a store, a cataloger, a leaderboard …
//
// Start with [github.com/weightprint/weightprint/report.Compare]. Models in places of
// one's own open by [github.com/weightprint/weightprint/formats.OpenFolder]; programs that
// must not open sockets are built with the tag nonet. The statistics
// are in docs/STATISTICS.md, the formats in docs/FORMATS.md.
//
// Stability: the JSON report (schema weightprint.report/1) and value digests
// never change meaning; Go APIs follow semantic versioning.
package weightprint
