// Package closed says what follows from verified responses of parties that
// showed nothing of their weights but commitments, sketches and openings.
package closed

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"

	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Schema names the JSON form of a Result.
const Schema = "weightprint.check/1"

// Result is what follows from responses that were verified.
type Result struct {
	Schema      string               `json:"schema"`
	Tool        report.Tool          `json:"tool"`
	Challenge   fingerprint.Digest   `json:"challenge"`
	Commitments []fingerprint.Digest `json:"commitments"`
	Beacon      string               `json:"beacon"`
	Parties     []Party              `json:"parties"`
	Comparison  *Comparison          `json:"comparison,omitempty"` // with two parties
	Proved      []string             `json:"proved"`
	NotProved   []string             `json:"notProved"`
}

// Party is one verified response, or a model compared openly.
type Party struct {
	Ref        string                  `json:"ref"`
	Commitment *fingerprint.Digest     `json:"commitment"` // null for a model compared openly
	Answer     *fingerprint.Digest     `json:"answer"`
	Beacon     string                  `json:"beacon"` // second value
	Axes       int                     `json:"axes"`
	Pairs      int                     `json:"pairs"`     // pairs of units sketched
	Opened     int                     `json:"opened"`    // of them opened and verified
	Withdrawn  int                     `json:"withdrawn"` // axes that the party gave no sketches of
	Response   *commitment.Response    `json:"-"`
	Sketches   []commitment.AxisSketch `json:"-"`
}

// Comparison is what two sets of sketches have in common.
type Comparison struct {
	Relation  verdict.Relation `json:"relation"` // related, where NoAccess is assumed, or inconclusive
	NoAccess  bool             `json:"noAccess"` // assumed, shown by nothing: neither side had the other's model before its own was fixed
	Log10P    verdict.Number   `json:"log10P"`   // charged for draws that a party could have tried
	Matching  int              `json:"matching"`
	Pairs     int              `json:"pairs"`
	Axes      int              `json:"axes"`
	Repeated  int              `json:"repeated"`
	Agreement verdict.Number   `json:"agreement"` // share of equal bits; 0.5 for strangers
	Forged    int              `json:"forged"`    // sketches that one party must have forged for this, at least
}

// New puts verified responses together; the second party may be a model
// that was sketched openly, without response. Policy nil is the default.
//
// Sketches show labels of units, which whoever has both models can arrange before
// committing. So corresponding labels make a relation only under the assumption
// noAccess: that neither side had the other's model before its own was fixed.
func New(c *commitment.Challenge, p *verdict.Policy, noAccess bool, parties ...Party) *Result {
	out := &Result{Schema: Schema, Tool: report.ThisTool(), Challenge: c.Digest(), Commitments: c.Commitments, Beacon: c.Beacon, Parties: slices.Clone(parties), Proved: []string{}, NotProved: []string{}}
	for i := range out.Parties {
		out.Parties[i].describe(c)
		out.proves(&out.Parties[i], i)
	}
	if len(parties) == 2 {
		policy := verdict.Policy{}
		if p != nil {
			policy = *p
		}
		out.compare(c, policy.WithDefaults(), noAccess)
	}
	out.limits()
	return out
}

// describe fills in the figures.
func (p *Party) describe(c *commitment.Challenge) {
	p.Axes = len(p.Sketches)
	if p.Response == nil {
		for _, s := range p.Sketches {
			p.Pairs += len(s.Eligible)
		}
		return
	}
	d := p.Response.Answer.Digest()
	p.Commitment, p.Answer, p.Beacon = &p.Response.Answer.Commitment, &d, p.Response.Beacon
	p.Pairs, p.Withdrawn = p.Response.Pairs()
	p.Opened = len(p.Response.Proofs)
}

// proves says what the openings of one party show.
func (x *Result) proves(p *Party, i int) {
	if p.Response == nil {
		x.Proved = append(x.Proved, fmt.Sprintf("%s: the sketches were computed here, from the model itself.", verdict.Side(i)))
		return
	}
	x.Proved = append(x.Proved, fmt.Sprintf("%s: %d pairs of units were drawn from %d after the answer was fixed. Their %d rows are rows of the committed model, and give bit for bit the sketches that were answered.", verdict.Side(i), p.Opened, p.Pairs, 2*p.Opened))
	if p.Beacon == "" {
		x.NotProved = append(x.NotProved, fmt.Sprintf("%s: that sketches which were not opened are honest. The units to open were drawn without a second beacon value, so this party could try out answers until forged ones escaped. Probabilities of escape are charged for 2^%d tries.", verdict.Side(i), verdict.Tries))
	} else {
		x.Proved = append(x.Proved, fmt.Sprintf("%s: had it forged a tenth, a quarter or half of its sketches, the openings would have missed all of them with probability %s, %s, %s.", verdict.Side(i), p.escape(p.Pairs/10), p.escape(p.Pairs/4), p.escape(p.Pairs/2)))
	}
	if p.Withdrawn > 0 {
		x.NotProved = append(x.NotProved, fmt.Sprintf("%s: %d of %d axes were withdrawn by the party's own check, as units that any network could have; that check cannot be verified from here, and the p-value is charged for every such choice.", verdict.Side(i), p.Withdrawn, p.Axes))
	}
}

// escape says how likely n forged sketches all escaped.
func (p *Party) escape(n int) string {
	miss := commitment.MissProbability(p.Pairs, n, p.Opened)
	if miss == 0 {
		return "0: too few honest ones are left"
	}
	log := math.Log(miss)
	if p.Beacon == "" {
		log += verdict.Tries * math.Ln2
	}
	return verdict.PValue(stats.LogP(math.Min(0, log)))
}

// compare runs the test on the two sides' sketches.
func (x *Result) compare(c *commitment.Challenge, policy verdict.Policy, noAccess bool) {
	r := sketches.TestAnswers(x.Challenge, x.Parties[0].Sketches, x.Parties[1].Sketches)
	p := r.P
	if c.Beacon == "" {
		p = min(0, p+stats.LogP(verdict.Tries*math.Ln2))
		x.NotProved = append(x.NotProved, fmt.Sprintf("The challenge had no beacon value, so the party that committed last could try out commitments. The p-value is charged for 2^%d tries.", verdict.Tries))
	}
	for i := range x.Parties {
		// Which axes to withdraw can be chosen with the outcome in view.
		p = min(0, p+stats.LogP(stats.LogChoose(x.Parties[i].Axes, x.Parties[i].Withdrawn)))
	}
	v := &Comparison{Relation: verdict.Inconclusive, Log10P: verdict.Number(p.Log10()), Matching: r.Matching, Pairs: r.Pairs, Axes: r.Axes, Repeated: r.Repeated, Agreement: verdict.Number(r.Agreement), NoAccess: noAccess}
	x.Comparison = v
	if r.Axes == 0 {
		x.NotProved = append(x.NotProved, "Nothing could be compared: the two have no sketched axes of one shape.")
		return
	}
	if p > policy.Level() {
		x.NotProved = append(x.NotProved, "No common origin was found, and none is excluded: a party may have permuted its units before it committed, or had enough of its sketches forged. Only a comparison of weights can say no.")
		return
	}
	v.Forged = r.Forged(policy.Level())
	x.Proved = append(x.Proved,
		fmt.Sprintf("Corresponding labels: %d of %d pairs of units are nearest to the pair at the same place of the other model; p <= %s if the two were initialised independently and neither was arranged with the other at hand.", r.Matching, r.Pairs, verdict.PValue(p)),
		fmt.Sprintf("%.1f %% of the compared bits are equal; strangers have 50 %%, copies 100 %%.", 100*r.Agreement))
	x.origin(v)
	for i := range x.Parties {
		if q := &x.Parties[i]; q.Response != nil {
			x.Proved = append(x.Proved, fmt.Sprintf("%s alone could have made strangers look like this only by forging at least %d of its %d sketches; probability that none of them was opened: %s.", verdict.Side(i), v.Forged, q.Pairs, q.escape(v.Forged)))
		}
	}
	x.NotProved = append(x.NotProved, "Which of the two came first, and who took from whom: a common ancestor or the same random initialisation look alike here.")
}

// origin says what corresponding labels mean, with and without the assumption.
func (x *Result) origin(v *Comparison) {
	if !v.NoAccess {
		x.NotProved = append(x.NotProved, "A common origin: whoever had both models could arrange the units of one after the other, at no cost, before committing. It follows only where neither side had the other's model before its own was fixed; where that is so, state it with --assume-no-access.")
		return
	}
	v.Relation = verdict.Related
	x.Proved = append(x.Proved, "Common origin, if the assumption holds that neither side had the other's model before its own was fixed.")
	x.NotProved = append(x.NotProved, "The assumption itself: no file says who had access to what, and when.")
}

// limits is what no check of responses shows.
func (x *Result) limits() {
	x.NotProved = append(x.NotProved,
		"That a committed model is the one that a product or service runs. The commitment binds weights, not their use.",
		"When anything was committed or answered: the files hold no time. Look up when the commitments and answers were published, and that every beacon value is genuine, was agreed on beforehand, and is younger than what it follows.")
	if n := len(x.Parties); n == 2 && x.Parties[0].Response != nil && x.Parties[1].Response != nil && x.Parties[0].Beacon != x.Parties[1].Beacon {
		x.NotProved = append(x.NotProved, "That neither side chose its second beacon value: the two are not the same.")
	}
}

// WriteText writes the result for people, in 80 columns.
func (x *Result) WriteText(w io.Writer) error {
	t := &columns.Text{}
	t.Row("challenge", x.Challenge.String())
	t.Row("beacon", orNone(x.Beacon))
	for i := range x.Parties {
		x.Parties[i].text(t, i)
	}
	t.Line("")
	t.Line("%s", x.headline())
	for i, s := range x.Proved {
		t.Row(columns.FirstOnly("proved", i), s)
	}
	t.Line("")
	for i, s := range x.NotProved {
		t.Row(columns.FirstOnly("not proved", i), s)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

func (p *Party) text(t *columns.Text, i int) {
	t.Row(verdict.Side(i), escape.Printable(p.Ref))
	if p.Response == nil {
		t.Row("", "compared openly, without commitment")
		return
	}
	t.Row("  commitment", p.Commitment.String())
	t.Row("  answer", p.Answer.String())
	t.Row("  beacon", orNone(p.Beacon))
	t.Row("  verified", fmt.Sprintf("%d axes, %d pairs of units sketched, %d of them opened", p.Axes, p.Pairs, p.Opened))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return escape.Printable(s)
}

// headline is the result in one line.
func (x *Result) headline() string {
	c := x.Comparison
	switch {
	case c == nil:
		return "VERIFIED"
	case c.Relation == verdict.Related:
		return fmt.Sprintf("VERIFIED, RELATED (exact, p <= %s, no access assumed)", verdict.PValue(stats.LogP(float64(c.Log10P)*math.Ln10)))
	case c.Forged > 0:
		return fmt.Sprintf("VERIFIED, INCONCLUSIVE (labels correspond, p <= %s)", verdict.PValue(stats.LogP(float64(c.Log10P)*math.Ln10)))
	}
	return "VERIFIED, INCONCLUSIVE"
}

// WriteJSON writes the result as indented JSON.
func (x *Result) WriteJSON(w io.Writer) error {
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(escape.JSON(b), '\n'))
	return err
}
