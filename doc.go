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
// Start with [github.com/weightprint/weightprint/report.Compare]. The doors, by question:
//
//   - do two models share weights? [github.com/weightprint/weightprint/report.Compare],
//     [github.com/weightprint/weightprint/report.Build] of models that are open,
//     [github.com/weightprint/weightprint/report.PlanReading] of what it would read
//   - is a claim about them true? [github.com/weightprint/weightprint/report.Report.Check],
//     [github.com/weightprint/weightprint/report/audit.Run],
//     [github.com/weightprint/weightprint/report/audit.Scratch] for "trained from scratch"
//   - which tensors, layers, rows differ? [github.com/weightprint/weightprint/report/diff.Find]
//   - of which parents was it merged? [github.com/weightprint/weightprint/report/recipe.Find]
//   - how do several models hang together? [github.com/weightprint/weightprint/report/lineage.Build]
//   - is a quantised file true to its source? [github.com/weightprint/weightprint/report/faithful.Check]
//   - what may be published of a model? [github.com/weightprint/weightprint/fingerprint.Compute]
//   - which of many models is it of? [github.com/weightprint/weightprint/similarity/index.Open],
//     [github.com/weightprint/weightprint/store.Open], and
//     [github.com/weightprint/weightprint/service.New] over HTTP
//   - are weights that nobody may see of one origin? [github.com/weightprint/weightprint/fingerprint/commitment.Commit],
//     [github.com/weightprint/weightprint/report/closed.New]
//   - how do two parties who do not trust each other compare? [github.com/weightprint/weightprint/report/dispute.Begin]
//   - as a signed statement, a bill of materials, a page?
//     [github.com/weightprint/weightprint/report/intoto.Sign],
//     [github.com/weightprint/weightprint/report/cyclonedx.Write],
//     [github.com/weightprint/weightprint/report/spdx.Write],
//     [github.com/weightprint/weightprint/report/html.Write]
//   - how is a checkpoint read? [github.com/weightprint/weightprint/formats.Open],
//     [github.com/weightprint/weightprint/formats.OpenFolder] for places of one's own,
//     [github.com/weightprint/weightprint/formats/roles.Map] for what each tensor is
//
// Programs that must not open sockets are built with the tag nonet, and link neither
// net/http nor TLS. The statistics are in docs/STATISTICS.md, the formats in
// docs/FORMATS.md.
//
// Stability: the JSON report (schema weightprint.report/1) and value digests
// never change meaning; Go APIs follow semantic versioning.
package weightprint
