package intoto

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/strictjson"
)

// StatementType is the type of an in-toto Statement v1.
const StatementType = "https://in-toto.io/Statement/v1"

// ErrStatement is returned for text that is no in-toto Statement v1.
var ErrStatement = errors.New("no in-toto statement")

// Statement says something, the predicate, about subjects that are pinned by
// digest.
type Statement struct {
	Type          string          `json:"_type"`
	Subject       []Resource      `json:"subject"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
}

// Resource is one subject: digests in hexadecimal by the name of the algorithm.
type Resource struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// NewStatement puts a predicate of the given type over subjects.
func NewStatement(subjects []Resource, predicateType string, predicate any) (*Statement, error) {
	var b bytes.Buffer
	if err := escape.WriteJSON(&b, predicate); err != nil {
		return nil, err
	}
	return &Statement{StatementType, subjects, predicateType, bytes.TrimSpace(b.Bytes())}, nil
}

// ParseStatement reads a statement.
func ParseStatement(text []byte) (*Statement, error) {
	var s Statement
	if err := strictjson.NoNulls(text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	if s.Type != StatementType || s.PredicateType == "" || len(s.Predicate) == 0 || len(s.Subject) == 0 {
		return nil, fmt.Errorf("%w: type %.80q, predicate type %.80q, %d subjects", ErrStatement, s.Type, s.PredicateType, len(s.Subject))
	}
	for _, x := range s.Subject {
		if len(x.Digest) == 0 {
			return nil, fmt.Errorf("%w: subject %.80q has no digest", ErrStatement, x.Name)
		}
	}
	return &s, nil
}

// JSON writes the statement. The same statement gives the same bytes.
func (s *Statement) JSON() ([]byte, error) {
	var b bytes.Buffer
	err := escape.WriteJSON(&b, s)
	return b.Bytes(), err
}
