package service

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/store"
)

const (
	linesType = "application/x-ndjson"
	maxLines  = 256
	maxBatch  = 64 << 20 // bytes
)

// query is one search of a batch.
type query struct {
	ref string
	of  *fingerprint.Fingerprint
}

// result is one line of the answer to a batch.
type result struct {
	Ref   string       `json:"ref"`
	Found *store.Found `json:"found"`
}

// searches answers a batch: the records of `weightprint fingerprint --ndjson` in,
// one result a line out, in their order. A batch counts as one request, and either
// all of it is answered or none.
func (x *Service) searches(w http.ResponseWriter, r *http.Request) error {
	top, level, err := parameters(r)
	if err != nil {
		return err
	}
	if !contentIs(r, linesType) {
		return fail(http.StatusUnsupportedMediaType, "the body is records of fingerprint --ndjson, of type %s", linesType)
	}
	queries, err := readQueries(http.MaxBytesReader(w, r.Body, maxBatch))
	if err != nil {
		return err
	}
	var out bytes.Buffer
	for some := range slices.Chunk(queries, x.together()) {
		var of []*fingerprint.Fingerprint
		for _, q := range some {
			of = append(of, q.of)
		}
		found, err := x.find(r.Context(), of, top, level)
		if err != nil {
			return err
		}
		for i, q := range some {
			line, err := json.Marshal(result{q.ref, found[i]})
			if err != nil {
				return err
			}
			out.Write(append(escape.JSON(line), '\n'))
		}
	}
	w.Header().Set("Content-Type", linesType)
	_, err = w.Write(out.Bytes())
	return err
}

// together is how many searches of a batch take one turn: as many as share a pass over
// the index where the store can do that, so that a turn stays short.
func (x *Service) together() int {
	if _, ok := x.store.(store.Batched); ok {
		return 32
	}
	return 1
}

func readQueries(r io.Reader) (out []query, err error) {
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		text, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, unread(err)
		}
		last := err != nil
		if text = bytes.TrimSpace(text); len(text) > 0 {
			l, f, err := store.ReadLine(text)
			switch {
			case err != nil:
				return nil, fail(http.StatusUnprocessableEntity, "line %d is no record: %v", n, err)
			case f == nil:
				return nil, fail(http.StatusUnprocessableEntity, "line %d is the record of an error", n)
			case len(out) == maxLines:
				return nil, fail(http.StatusRequestEntityTooLarge, "a batch has at most %d records", maxLines)
			}
			out = append(out, query{l.Ref, f})
		}
		if last && len(out) == 0 {
			return nil, fail(http.StatusUnprocessableEntity, "the batch holds no record")
		}
		if last {
			return out, nil
		}
	}
}
