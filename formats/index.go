package formats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Bounds of an index file: some hundred bytes for each of twice as many tensors
// as the largest published models have.
const (
	maxIndex  = 40 << 20
	maxMapped = 1 << 18

	maxMembers = 1 << 12 // of what is no map of tensors
)

// index is a parsed *.safetensors.index.json or *.bin.index.json.
type index struct {
	ending  string // of the shards' names, as the index's own says
	tensors map[string]mapped
	shards  map[string]string // to itself
	hasSize bool
	size    string // metadata.total_size as written
	sizeAt  int64
}

// declares tells whether the declared size is that many bytes. Some writers put
// it down as a float.
func (ix *index) declares(total int64) bool {
	n, err := strconv.ParseFloat(ix.size, 64)
	return ix.size == strconv.FormatInt(total, 10) || strings.ContainsAny(ix.size, ".eE") && err == nil && n == float64(total)
}

// mapped is where the index says a tensor lies.
type mapped struct {
	shard string
	at    int64 // offset in the index
}

// readIndex parses an index token by token, so that repeated keys are seen.
func readIndex(op *opener, name, label string) (*index, error) {
	b, err := op.small(name, maxIndex)
	if err != nil {
		return nil, err
	}
	p := &indexParser{ctx: op.ctx, label: label, d: json.NewDecoder(&patient{op.ctx, bytes.NewReader(b)}), ix: &index{ending: shardEnding(name), tensors: map[string]mapped{}, shards: map[string]string{}}}
	if !utf8.Valid(b) || bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		return nil, p.fail("index", "the index is UTF-8 without byte order mark")
	}
	p.d.UseNumber()
	if err := p.top(); err != nil {
		return nil, err
	}
	if _, err := p.d.Token(); err != io.EOF {
		return nil, p.fail("index", "something follows the object")
	}
	if len(p.ix.tensors) == 0 {
		return nil, p.fail("weight_map", "the index names no tensor")
	}
	return p.ix, nil
}

// small reads a whole file of at most a given size. It is not counted among
// the files that hold tensors.
func (op *opener) small(name string, most int64) ([]byte, error) {
	return op.place.Read(op.ctx, name, most)
}

type indexParser struct {
	ctx   context.Context
	label string
	d     *json.Decoder
	ix    *index
}

func (p *indexParser) fail(field, rule string, args ...any) error {
	return tensor.Errorf(tensor.ErrFormat, p.label, p.d.InputOffset(), field, rule, args...)
}

// token returns the next token.
func (p *indexParser) token(field string) (json.Token, error) {
	t, err := p.d.Token()
	if err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, tensor.Errorf(io.ErrUnexpectedEOF, p.label, p.d.InputOffset(), field, "the index ends too early")
		}
		if ended := p.ctx.Err(); ended != nil {
			return nil, ended
		}
		return nil, p.fail(field, "%v", err)
	}
	return t, nil
}

// object walks through an object; each key may stand once.
func (p *indexParser) object(field string, f func(key string) error) error {
	t, err := p.token(field)
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return p.fail(field, "an object expected")
	}
	seen := map[string]bool{}
	mapping := field == "weight_map" // which keeps its keys itself
	for p.d.More() {
		t, err := p.token(field)
		if err != nil {
			return err
		}
		key := t.(string) // the decoder gives no other token here
		if _, twice := p.ix.tensors[key]; mapping && twice || seen[key] {
			return p.fail(field+" "+quote(key), "the key stands twice")
		}
		if !mapping {
			seen[key] = true
		}
		if len(seen) > maxMembers {
			return tensor.Errorf(tensor.ErrLimit, p.label, p.d.InputOffset(), field, "more than %d members", maxMembers)
		}
		if err := f(key); err != nil {
			return err
		}
	}
	_, err = p.token(field)
	return err
}

// top reads the index: weight_map, metadata, and whatever else it holds.
func (p *indexParser) top() error {
	found := false
	err := p.object("index", func(key string) error {
		switch key {
		case "weight_map":
			found = true
			return p.object("weight_map", p.entry)
		case "metadata":
			return p.metadata()
		}
		return p.skip(key, 8)
	})
	if err == nil && !found {
		return p.fail("weight_map", "the field is missing")
	}
	return err
}

// entry reads where one tensor lies.
func (p *indexParser) entry(name string) error {
	field := "weight_map " + quote(name)
	t, err := p.token(field)
	if err != nil {
		return err
	}
	shard, ok := t.(string)
	if !ok {
		return p.fail(field, "the name of a shard expected, found %v", t)
	}
	if !plainName(shard) || !strings.HasSuffix(shard, "."+p.ix.ending) {
		return p.fail(field, "%s is no plain name of a %s file", quote(shard), p.ix.ending)
	}
	if known, ok := p.ix.shards[shard]; ok {
		shard = known // one string for all tensors of a shard
	} else {
		p.ix.shards[shard] = shard
	}
	p.ix.tensors[name] = mapped{shard, p.d.InputOffset()}
	if len(p.ix.tensors) > maxMapped {
		return tensor.Errorf(tensor.ErrLimit, p.label, p.d.InputOffset(), field, "more than %d tensors", maxMapped)
	}
	if len(p.ix.shards) > maxShards {
		return tensor.Errorf(tensor.ErrLimit, p.label, p.d.InputOffset(), field, "more than %d shards", maxShards)
	}
	return nil
}

// metadata reads the one fact in it that can be checked.
func (p *indexParser) metadata() error {
	return p.object("metadata", func(key string) error {
		if key != "total_size" {
			return p.skip("metadata "+quote(key), 8)
		}
		t, err := p.token("metadata total_size")
		if err != nil {
			return err
		}
		p.ix.hasSize, p.ix.size, p.ix.sizeAt = true, fmt.Sprint(t), p.d.InputOffset()
		if s, isText := t.(string); isText {
			p.ix.size = quote(s)
		}
		return nil
	})
}

// skip passes over a value; depth bounds what stands within it.
func (p *indexParser) skip(field string, depth int) error {
	level := 0
	for {
		t, err := p.token(field)
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if level++; level > depth {
				return tensor.Errorf(tensor.ErrLimit, p.label, p.d.InputOffset(), field, "objects and arrays within one another deeper than %d", depth)
			}
		case json.Delim('}'), json.Delim(']'):
			level--
		}
		if level == 0 {
			return nil
		}
	}
}
