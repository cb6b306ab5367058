package source

import (
	"fmt"
	"log/slog"
	"strings"
)

// secret is an access token. However it is printed, it does not show.
type secret struct{ value string }

const hidden = "[token]"

// newSecret checks a token: printable ASCII without spaces, so that it fits a
// header.
func newSecret(name, s string) (secret, error) {
	s = strings.TrimSpace(s)
	for _, r := range s {
		if r <= ' ' || r > '~' {
			return secret{}, fmt.Errorf("%s holds a character that no token has", name)
		}
	}
	return secret{s}, nil
}

func (s secret) String() string               { return hidden }
func (s secret) GoString() string             { return hidden }
func (s secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (s secret) LogValue() slog.Value         { return slog.StringValue(hidden) }

// Format covers all verbs of fmt.
func (s secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// in tells whether a text repeats the token.
func (s secret) in(text string) bool { return s.value != "" && strings.Contains(text, s.value) }
