package dispute

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
)

// ErrForged is returned for a step that the protocol does not allow, or that is not
// its author's.
var ErrForged = errors.New("the transcript does not hold")

// State is what a transcript has come to.
type State struct {
	Init      Init
	Committed map[Author]Commit
	Opened    map[Author]Exchange
	Run       *Run
	Closed    *Close

	first string         // digest of the first line
	at    map[string]int // the entries of the record, by kind and author
	keys  map[Author]*intoto.PublicKey
}

// steps are the kinds of entries with what they do to a state.
var steps = map[string]func(*State, Entry) error{
	"init": (*State).init, "commit": (*State).commit, "exchange": (*State).exchange, "run": (*State).run, "close": (*State).close,
}

// Replay goes through the transcript from its first line and holds every step
// against the protocol: order, chain, signatures, commitments and the nonce. The
// first step that does not hold is ErrForged.
func (t *Transcript) Replay(ctx context.Context) (*State, error) {
	s := &State{Committed: map[Author]Commit{}, Opened: map[Author]Exchange{}, keys: map[Author]*intoto.PublicKey{}, at: map[string]int{}}
	prev := ""
	for i, e := range t.Entries {
		if err := s.step(ctx, i, prev, e); err != nil {
			return nil, fmt.Errorf("%w: line %d (%.20s by %.20s): %w", ErrForged, i+1, e.Kind, e.Author, err)
		}
		s.at[e.Kind+" "+string(e.Author)] = i
		prev = hexSum(t.lines[i])
		if i == 0 {
			s.first = prev
		}
	}
	if len(t.Entries) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrForged)
	}
	return s, nil
}

func (s *State) step(ctx context.Context, i int, prev string, e Entry) error {
	does := steps[e.Kind]
	switch {
	case e.Seq != i || e.Prev != prev:
		return errors.New("it does not follow the line before it: a line was changed, added or left out")
	case does == nil:
		return errors.New("no step of the protocol")
	case s.Closed != nil:
		return errors.New("the record was closed before")
	}
	if err := does(s, e); err != nil {
		return err
	}
	return e.signed(ctx, s.keys[e.Author])
}

// expect refuses an entry of another author or out of its turn.
func (s *State) expect(e Entry, by []Author, initialised bool) error {
	if !slices.Contains(by, e.Author) {
		return fmt.Errorf("this step is that of %v", by)
	}
	if (s.keys[Runner] != nil) != initialised {
		return errors.New("a record begins with one init")
	}
	return nil
}

func (s *State) init(e Entry) error {
	x, err := read[Init](e)
	if err = errors.Join(err, s.expect(e, []Author{Runner}, false)); err != nil {
		return err
	}
	if len(x.Parties) != 3 || len(x.Gains) == 0 || len(x.Gains) > 2 || len(x.Gains) == 2 && x.Gains[0] == x.Gains[1] || x.Beacon == "" || x.Question == "" {
		return errors.New("three parties, a question, a beacon and who gains have to be named")
	}
	if slices.ContainsFunc(x.Gains, func(g Author) bool { return !slices.Contains(Sides, g) }) {
		return errors.New("only a and b can gain")
	}
	if _, err := time.Parse(time.RFC3339, string(x.BeaconTime)); err != nil && x.BeaconTime != "" {
		return fmt.Errorf("time of the beacon: %w", err)
	}
	for _, who := range []Author{A, B, Runner} {
		key, err := intoto.ParsePublicKey([]byte(x.Parties[who].Key))
		if err != nil {
			return fmt.Errorf("key of %s: %w", who, err)
		}
		s.keys[who] = key
	}
	s.Init = x
	return (&report.Options{Budget: x.Budget, Depth: x.Depth}).Check()
}

func (s *State) commit(e Entry) error {
	x, err := read[Commit](e)
	if err = errors.Join(err, s.expect(e, Sides, true)); err != nil {
		return err
	}
	if _, twice := s.Committed[e.Author]; twice {
		return errors.New("a second commitment: the first one binds")
	}
	if len(s.Opened) > 0 || s.Run != nil {
		return errors.New("a late commitment: the other side has opened its own")
	}
	s.Committed[e.Author] = x
	return nil
}

func (s *State) exchange(e Entry) error {
	x, err := read[Exchange](e)
	if err = errors.Join(err, s.expect(e, Sides, true)); err != nil {
		return err
	}
	if len(s.Committed) < len(Sides) {
		return errors.New("nothing is opened before both have committed")
	}
	if _, twice := s.Opened[e.Author]; twice {
		return errors.New("opened twice")
	}
	got, err := x.commitment(s.first, e.Author)
	if err != nil {
		return err
	}
	if got != s.Committed[e.Author].Commitment {
		return errors.New("these are not the files that were committed to")
	}
	if _, err := x.files(); err != nil {
		return err
	}
	s.Opened[e.Author] = x
	return nil
}

func (s *State) run(e Entry) error {
	x, err := read[Run](e)
	if err = errors.Join(err, s.expect(e, []Author{Runner}, true)); err != nil {
		return err
	}
	switch {
	case len(s.Opened) < len(Sides):
		return fmt.Errorf("nothing can be compared before both have opened; not opened: %v", s.withheld())
	case s.Run != nil:
		return errors.New("run twice: the first report binds")
	case x.Beacon == "":
		return errors.New("no value of the beacon")
	case x.Nonce != s.Nonce(x.Beacon):
		return errors.New("another nonce than that of both commitments and the beacon")
	case x.Command != s.Command(x.Nonce):
		return fmt.Errorf("another command than the one agreed on: %s", s.Command(x.Nonce))
	}
	s.Run = &x
	return nil
}

func (s *State) close(e Entry) error {
	x, err := read[Close](e)
	if err = errors.Join(err, s.expect(e, []Author{Runner}, true)); err != nil {
		return err
	}
	switch {
	case s.Run == nil && len(s.Opened) == len(Sides):
		return errors.New("both have opened: the comparison has to be run")
	case !slices.Equal(x.Withheld, s.withheld()):
		return fmt.Errorf("not opened: %v", s.withheld())
	case x.Labels != s.labels():
		return fmt.Errorf("of labels it has to say: %s", s.labels().Because)
	}
	s.Closed = &x
	return nil
}

// Nonce is that of this dispute for a value of the beacon.
func (s *State) Nonce(beacon string) string {
	return Nonce(s.Committed[A].Commitment, s.Committed[B].Commitment, beacon)
}

// Command is what the runner runs, with A and B for the models.
func (s *State) Command(nonce string) string {
	return fmt.Sprintf("weightprint compare A B --nonce %s --pin --budget %s --depth %s --json", nonce, s.Init.Budget, s.Init.Depth)
}
