package commitment_test

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/fingerprint/commitment"
)

// Two parties commit, a challenge is drawn, and one of the answers is checked
// by somebody who has neither model.
func Example() {
	ctx := context.Background()
	mine, theirs := exactModel(1), exactModel(2)

	var openings []*commitment.Opening
	for _, m := range []*exact{mine, theirs} {
		secret, err := commitment.NewSecret()
		if err != nil {
			panic(err)
		}
		o, err := commitment.Commit(ctx, m, secret)
		if err != nil {
			panic(err)
		}
		openings = append(openings, o)
	}
	challenge, err := commitment.NewChallenge("a value drawn in public", 16, openings[0].Commitment(), openings[1].Commitment())
	if err != nil {
		panic(err)
	}
	response, err := commitment.Respond(ctx, mine, openings[0], challenge, "another value, drawn later")
	if err != nil {
		panic(err)
	}
	sketches, err := challenge.Check(response)
	fmt.Println(len(sketches), "axes sketched,", len(response.Proofs), "units opened, error:", err)
	// Output: 3 axes sketched, 16 units opened, error: <nil>
}
