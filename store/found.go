package store

import (
	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/index"
)

// Found is the JSON form of a search, which the program prints and the service
// answers. Its fields stand in alphabetical order.
type Found struct {
	Hits        []Hit     `json:"hits"`
	Leads       []Hit     `json:"leads"`
	Lost        []string  `json:"lost"` // signs that a commit was lost, whose entries were not searched
	Quarantined int       `json:"quarantined"`
	Searched    int       `json:"searched"`
	Skipped     []Skipped `json:"skipped"`
}

// Hit is one entry that a search found.
type Hit struct {
	Name     string           `json:"name"`
	Log10P   *verdict.Number  `json:"log10P"` // corrected for the number of entries searched; null for leads
	Relation verdict.Relation `json:"relation"`
	Test     string           `json:"test"`
	Matching int              `json:"matchingUnits"`
	Units    int              `json:"units"`
	Alike    int              `json:"alikeToTokens"` // units that the same tokens find and that look alike
	Probed   int              `json:"probed"`
	Note     string           `json:"note"`
}

// Skipped is an entry that cannot be read.
type Skipped struct {
	Number int64  `json:"number"` // of the record
	Name   string `json:"name"`   // "" where it cannot be read
	Error  string `json:"error"`
}

// Describe puts the result of a search into its JSON form.
func Describe(found *index.Found) *Found {
	out := &Found{Hits: []Hit{}, Leads: []Hit{}, Lost: DescribeLost(found.Lost), Quarantined: found.Quarantined, Searched: found.Searched, Skipped: DescribeBad(found.Skipped)}
	for i := range found.Hits {
		out.Hits = append(out.Hits, hitOf(&found.Hits[i]))
	}
	for i := range found.Leads {
		out.Leads = append(out.Leads, leadOf(&found.Leads[i]))
	}
	return out
}

// DescribeBad puts entries that cannot be read into their JSON form.
func DescribeBad(all []index.Bad) []Skipped {
	out := []Skipped{}
	for _, b := range all {
		out = append(out, Skipped{b.Number, b.Name, escape.Visible(strings.Join(strings.Fields(b.Err.Error()), " "))})
	}
	return out
}

// DescribeLost puts signs of a lost commit into words.
func DescribeLost(all []error) []string {
	out := []string{}
	for _, err := range all {
		out = append(out, escape.Visible(strings.Join(strings.Fields(err.Error()), " ")))
	}
	return out
}

// Words describe an entry that cannot be read, for a terminal.
func (s Skipped) Words() string {
	if s.Name == "" {
		return fmt.Sprintf("record %d: %s", s.Number, s.Error)
	}
	return fmt.Sprintf("record %d, %s: %s", s.Number, escape.Printable(s.Name), s.Error)
}

// sharedShare is the share of alike units below which a hit may be no more than
// the same initialisation: training makes other units answer to a token.
const sharedShare = 0.1

func hitOf(h *index.Hit) Hit {
	x := Hit{Name: h.Name, Relation: verdict.Inconclusive, Test: h.Evidence.Test, Matching: int(h.Evidence.Statistic), Units: h.Evidence.N, Alike: int(h.Agreement.Statistic), Probed: h.Agreement.N}
	p := verdict.Number(h.P.Log10())
	x.Log10P = &p
	switch {
	case h.Same:
		x.Relation, x.Note = verdict.Identical, "the same values"
	case h.Evidence.P != nil && x.Probed > 0 && float64(x.Alike) < sharedShare*float64(x.Probed):
		x.Note = "screening hit: the sketches correspond, perhaps by no more than the same random initialisation; arranged or forged sketches do so too; to be settled by compare"
	default:
		x.Note = "screening hit: the sketches correspond as those of relatives do; arranged or forged ones do so too; to be settled by compare"
	}
	return x
}

func leadOf(h *index.Hit) Hit {
	x := hitOf(h)
	x.Log10P, x.Relation, x.Test = nil, verdict.Inconclusive, h.Agreement.Test
	x.Matching, x.Units = x.Alike, x.Probed
	x.Note = "lead: units look alike to the same tokens, though no exact test finds them; to be settled by compare"
	return x
}

// WriteText writes the result for people.
func (f *Found) WriteText(w io.Writer) {
	fmt.Fprintf(w, "searched %d entries, %d hits; p-values are corrected for that number\n", f.Searched, len(f.Hits))
	if n := len(f.Skipped); n > 0 {
		fmt.Fprintf(w, "%d entries could not be read and were not searched\n", n)
	}
	if len(f.Hits)+len(f.Leads) > 0 {
		fmt.Fprintf(w, "%-12s %8s  %12s  %s\n", "relation", "log10 p", "units alike", "entry")
	}
	for _, h := range f.Hits {
		fmt.Fprintf(w, "%-12s %8.1f  %4d of %4d  %s\n%14s%s\n", h.Relation, float64(*h.Log10P), h.Matching, h.Units, escape.Printable(h.Name), "", h.Note)
	}
	for _, h := range f.Leads {
		fmt.Fprintf(w, "%-12s %8s  %4d of %4d  %s\n%14s%s\n", "lead", "no p", h.Matching, h.Units, escape.Printable(h.Name), "", h.Note)
	}
}
