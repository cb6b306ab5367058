// Package report is the door: [Compare] opens two checkpoints, reads what the
// budget allows, runs the tests and returns a [Report] whose Verdict names
// the relation and the evidence it rests on.
//
//	r, err := report.Compare(ctx, "base/", "suspect.gguf", nil)
//	r.WriteText(os.Stdout)
//
// A report can be checked: it pins what was read, lists every test that ran
// or was skipped, and is the same bytes for the same inputs and options. Its
// fields are those of the JSON form, whose schema is [Schema].
//
// [Build] is the comparison from end to end, stage by stage. What a written report
// consists of is listed in sections.go, whatever the form it is written in.
//
// The verdict is the work of package report/verdict, a pure function of the
// evidence. It says "no evidence" only where a relation would have been
// found, and "inconclusive" otherwise. Nothing here decides who copied from
// whom, or whether that was wrong.
package report
