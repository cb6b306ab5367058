package verdict

import (
	"fmt"

	"github.com/weightprint/weightprint/similarity"
)

// result is the pooled result of a test that was run, nil if there is none.
func (f *Facts) result(test string) *similarity.Evidence {
	for i := range f.Evidence {
		if e := &f.Evidence[i]; e.Test == test && e.LayerB < 0 && e.Skipped == "" {
			return e
		}
	}
	return nil
}

// heldOut asks for units that agree in layers that a common basis was not fitted
// to. It needs no tokens and no names of units; a finding is also more alike than
// a rotation aimed at all these layers makes strangers.
func (f *Facts) heldOut(out *Channels) {
	share, cosine := f.result(HeldOutAgreement), f.result(HeldOutCosine)
	if share == nil || cosine == nil {
		return
	}
	out.free = share.N >= heldOutUnits
	switch {
	case share.Statistic < minAgreeing:
	case share.Effect >= agreementFloor && share.Effect > findTimes*heldOutStrangers(share) && cosine.Effect > cosine.Statistic:
		out.alone = append(out.alone, share)
	case openHeldOut(share):
		out.with = append(out.with, share)
	}
}

// heldOutStrangers is the largest share that controls of about the size of a case show.
func heldOutStrangers(e *similarity.Evidence) float64 {
	if s := Controls().Stand(HeldOutAgreement, e.Effect, e.N); s != nil {
		return float64(s.Largest)
	}
	return 1
}

// openHeldOut tells whether more units agree than chance explains: twice as many as in
// any pair of strangers. Their number hardly grows with that of the units.
func openHeldOut(e *similarity.Evidence) bool {
	return e.Statistic >= max(minAgreeing, openTimes*Controls().Count(HeldOutAgreement))
}

// heldOutContent puts such a finding into words.
func (f *Facts) heldOutContent(found Channels) string {
	for _, e := range found.alone {
		if e.Test == HeldOutAgreement {
			return f.heldOutWords(e)
		}
	}
	return ""
}

func (f *Facts) heldOutWords(e *similarity.Evidence) string {
	c := f.result(HeldOutCosine)
	s := Controls().Stand(HeldOutAgreement, e.Effect, e.N)
	if s == nil {
		s = &Standing{}
	}
	return fmt.Sprintf("%.0f of %d units agree (of strangers at most %.2g %%, in %d pairs) in layers that the common basis was not fitted to, without tokens, labels or names, at a mean cosine of %.3g where a rotation aimed at all of them reaches %.3g at most", e.Statistic, e.N, 100*float64(s.Largest), s.N, c.Effect, c.Statistic)
}

// agreesHeldOut tells whether units agree in held-out layers.
func (f *Facts) agreesHeldOut() bool {
	var found Channels
	f.heldOut(&found)
	return len(found.alone) > 0
}

// learnedByHeldOut tells whether most units agree in held-out layers, as those of
// networks do that share what they learned: pairs of one seed that were trained
// apart show next to none.
func (f *Facts) learnedByHeldOut() bool {
	var found Channels
	f.heldOut(&found)
	return len(found.alone) > 0 && found.alone[0].Effect >= mostUnits
}

// apartHeldOut tells whether units were asked for in held-out layers, and do not agree, or
// are not so alike that somebody has to have added others that turn directions: networks of
// one seed that were trained a little agree in all units.
func (f *Facts) apartHeldOut() bool {
	e, cosine := f.result(HeldOutAgreement), f.result(HeldOutCosine)
	return e != nil && e.N >= heldOutUnits && (!f.agreesHeldOut() || cosine == nil || cosine.Effect < sameUnits)
}

// SeesThrough tells whether a component was looked at by a test that sees through
// disguises, and showed nothing: agreement that needs no tokens, of the main
// tower's MLPs.
func (f *Facts) SeesThrough(component string) bool {
	e := f.result(HeldOutAgreement)
	return e != nil && PartName(*e) == component && e.N >= heldOutUnits && !openHeldOut(e)
}
