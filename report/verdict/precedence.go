package verdict

import "fmt"

// Time is a time in RFC 3339, in UTC and whole seconds: later ones are larger as
// text too.
type Time string

// Dates is what is known and assumed of when the subjects existed.
type Dates struct {
	By        [2]Time // each existed by then, by a time stamp that was verified; empty where none binds it
	From      [2]Time // the clock behind the stamp showed no less
	Variants  int     // files that the stamped lists name beside those of the subjects
	NoAccess  bool    // assumed: whoever made the earlier one had no access to the later before that
	Disclosed Time    // assumed: neither was available to the other side before; empty where nothing was said
}

// committed tells whether both subjects are dated before either was available to
// the other side.
func (d Dates) committed() bool {
	return d.Disclosed != "" && d.By[0] != "" && d.By[1] != "" && d.By[0] < d.Disclosed && d.By[1] < d.Disclosed
}

// first is the direction in which the earlier subject is the source;
// Undetermined unless both are dated, and differently.
func (d Dates) first() Direction {
	switch {
	case d.By[0] == "" || d.By[1] == "":
		return Undetermined
	case d.By[0] < d.From[1]:
		return AToB
	case d.By[1] < d.From[0]:
		return BToA
	}
	return Undetermined
}

// looks is how often somebody could have tried who committed to many files at
// once, at most.
func (d Dates) looks() int { return 1 + d.Variants }

// Precedence is which subject is known to have existed earlier. A date shows that
// something existed by a time, and never that it did not exist before.
type Precedence struct {
	A         *Time     `json:"a"` // A existed by then; null where no verified date binds it
	B         *Time     `json:"b"`
	Direction Direction `json:"direction"` // from the one dated earlier to the other; "undetermined" unless both are dated
	Story     string    `json:"story"`
	Assumed   *string   `json:"assumed"` // what was assumed beside the dates; null where nothing was
}

// Words puts the precedence into a sentence.
func (p *Precedence) Words() string {
	if p.Assumed == nil {
		return p.Story
	}
	return p.Story + "; " + *p.Assumed
}

// precedence puts dates together, nil without any.
func (d Dates) precedence() *Precedence {
	if d.By == [2]Time{} {
		return nil
	}
	p := &Precedence{Direction: d.first()}
	for i, at := range []**Time{&p.A, &p.B} {
		if t := d.By[i]; t != "" {
			*at = &t
		}
	}
	earlier, later := 0, 1
	if d.By[0] == "" || p.Direction == BToA {
		earlier, later = 1, 0
	}
	switch {
	case d.By[later] == "":
		p.Story = fmt.Sprintf("%s existed by %s; no dated record of %s was given", Side(earlier), d.By[earlier], Side(later))
	case p.Direction == Undetermined:
		p.Story = fmt.Sprintf("A existed by %s and B by %s; neither is dated before the other", d.By[0], d.By[1])
	default:
		p.Story = fmt.Sprintf("%s existed by %s; no record of %s before %s was given", Side(earlier), d.By[earlier], Side(later), d.From[later])
		if d.NoAccess {
			s := fmt.Sprintf("assumed, not shown: whoever made %s had no access to %s, nor to what it was made from, before %s", Side(earlier), Side(later), d.By[earlier])
			p.Assumed = &s
		}
	}
	return p
}

// date adds what follows from dates. A direction needs a relation of values, an
// earlier subject, and the assumption that its maker could not have had the later
// one: no file says that.
func (v *Verdict) date(d Dates) {
	v.Precedence = d.precedence()
	p := v.Precedence
	switch {
	case p == nil && d.NoAccess:
		v.Next = append(v.Next, "an assumption about access gives no direction without dates: give time stamps of both with --dated")
	case p == nil:
	case v.Relation != Related && v.Relation != Reencoded:
	case p.Direction == Undetermined && d.NoAccess:
		v.Next = append(v.Next, "a direction needs a date of both: "+p.Story)
	case p.Direction == Undetermined:
	case !d.NoAccess:
		v.Next = append(v.Next, "dates alone give no direction: where it is so, state with --assume-no-access that the maker of the earlier one had no access to the later")
	default:
		v.Direction = p.Direction
		v.Because = append(v.Because, "the direction rests on the dates of both and on the assumption beside them")
		if r := v.Suggested(); r != Undetermined && r != p.Direction {
			v.Because = append(v.Because, "the marks in the weights suggest the reverse, which is no finding: every mark can be put on or taken off")
		}
	}
}

// DirectionWords says what the direction means, and that it is not the weights'.
func (v *Verdict) DirectionWords() string {
	if v.Direction == Undetermined {
		return v.Direction.Words()
	}
	return v.Direction.Words() + ", by dates and an assumption"
}

// committedLabels is the verdict where labels correspond, content does not, and
// both files were committed before the other was available: then neither was
// arranged after the other. What training learned is not shown to be common.
func (p Policy) committedLabels(v *Verdict, f *Facts, because string) {
	v.Relation, v.Tier = Related, "exact"
	v.Because = append(v.Because, because,
		fmt.Sprintf("the labels correspond, the content does not; A was committed by %s and B by %s, before %s, until when neither is said to have been available to the other side, so that neither was arranged after the other", f.Dates.By[0], f.Dates.By[1], f.Dates.Disclosed),
		fmt.Sprintf("p was multiplied by %d, for the other files that were committed to with these; what else a side committed to is not known: whoever committed to N variants had N looks, and p is N times as large", f.Dates.looks()))
	p.origin(v, f)
	if v.open && v.Relation == Related {
		v.Relation, v.Kinds, v.Reading = SharedInit, []Kind{}, nil
		v.Alternatives = append(append([]string{}, sharedInitAlternatives...), trainedAlike)
	}
	v.Alternatives = append(v.Alternatives, fmt.Sprintf(arrangedBefore, f.Dates.Disclosed))
}
