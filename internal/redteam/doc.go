// Package redteam attacks this module: each attack is carried out, not
// described, and its outcome measured. docs/THREATS.md has the results;
// cmd/weightprint-bench redteam makes them anew.
package redteam

import "fmt"

// Result is what one attack came to.
type Result struct {
	Attack  string // what was tried
	Setting string // on what
	Outcome string // what came of it, in figures
	Holds   bool   // the documented limit held
	Open    bool   // no limit is documented for this setting: the outcome is a warning
}

func (r Result) String() string {
	verdict := "holds"
	switch {
	case r.Open && !r.Holds:
		verdict = "**leaks**"
	case !r.Holds:
		verdict = "BROKEN"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", r.Attack, r.Setting, r.Outcome, verdict)
}
