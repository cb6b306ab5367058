package dispute

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/weightprint/weightprint/report/dated"
)

// Stamp is a time stamp that an entry names: all entries before it existed when it
// was made, and the entry itself did not.
type Stamp struct {
	Entry     int       // its place
	By, From  time.Time // when the stamp was made, at the latest and at the earliest
	Authority string    // who says so
	Trusted   bool      // its certificate leads to a root that was given
}

// Stamp reads a time stamp that an entry names. One that was made over something
// else than the lines before that entry, whose signature fails, or whose authority
// does not lead to one of the roots, is ErrForged; without roots none is trusted.
func (t *Transcript) Stamp(entry int, x Exhibit, der []byte, roots *x509.CertPool) (s Stamp, err error) {
	token, err := dated.ParseToken(der)
	if err == nil && !token.Of(t.Before(entry)) {
		err = errors.New("it stamps something else than the lines before this one")
	}
	if err == nil && roots != nil {
		err = token.Trust(roots)
	}
	if err != nil {
		return s, fmt.Errorf("%w: line %d: time stamp %.80q: %w", ErrForged, entry+1, x.Name, err)
	}
	return Stamp{entry, token.By(), token.From(), token.Authority, roots != nil}, nil
}

// Span is when an entry was made, as far as trusted time stamps show. A zero time
// is one that they do not show.
type Span struct{ After, By time.Time }

// Spans are those of all entries: each is older than every stamp over it, and
// younger than every stamp that it or an entry before it names.
func (t *Transcript) Spans(all []Stamp) []Span {
	out := make([]Span, len(t.Entries))
	for i := range out {
		for _, s := range all {
			switch x := &out[i]; {
			case !s.Trusted:
			case s.Entry > i && (x.By.IsZero() || s.By.Before(x.By)):
				x.By = s.By
			case s.Entry <= i && s.From.After(x.After):
				x.After = s.From
			}
		}
	}
	return out
}

// Timing says how an entry stands to a time that it had to come before.
type Timing string

// The timings.
const (
	InTime  Timing = "in time"
	Late    Timing = "late"
	Unshown Timing = "not shown to be in time"
)

// Against holds a span against a time.
func (x Span) Against(limit time.Time) Timing {
	switch {
	case !x.By.IsZero() && !x.By.After(limit):
		return InTime
	case !x.After.IsZero() && !x.After.Before(limit):
		return Late
	}
	return Unshown
}

// CommittedWhen is when a party committed, by the spans of a transcript. ok is false
// where it did not.
func (s *State) CommittedWhen(who Author, spans []Span) (x Span, ok bool) {
	i, ok := s.at["commit "+string(who)]
	if ok {
		x = spans[i]
	}
	return x, ok
}

// Foreseen is ErrForged where the comparison was on record before the beacon that
// draws its positions was out.
func (s *State) Foreseen(spans []Span) error {
	out, err := time.Parse(time.RFC3339, string(s.Init.BeaconTime))
	if err != nil {
		return nil // no time was agreed on
	}
	if i, ok := s.at["run "+string(Runner)]; ok && spans[i].Against(out) == InTime {
		return fmt.Errorf("%w: line %d: the comparison existed by %s, the beacon's value only from %s on", ErrForged, i+1, spans[i].By.Format(time.RFC3339), s.Init.BeaconTime)
	}
	return nil
}

// Dated is what labels are worth with dates: a commitment of one who gains that was
// made at limit or later voids them, and one that nothing shows to be older is named.
func (s *State) Dated(spans []Span, limit time.Time) Labels {
	l := s.labels()
	if !l.Suffice {
		return l
	}
	for _, who := range s.Init.Gains {
		x, _ := s.CommittedWhen(who, spans)
		switch x.Against(limit) {
		case Late:
			return Labels{false, fmt.Sprintf("%s gains from a finding and committed after %s, when it was to have done so", who, limit.UTC().Format(time.RFC3339))}
		case Unshown:
			l.Because += fmt.Sprintf("; that %s committed before %s no time stamp shows", who, limit.UTC().Format(time.RFC3339))
		}
	}
	return l
}
