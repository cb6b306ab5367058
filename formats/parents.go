package formats

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Parent is a model that the files of a checkpoint name as its origin. It is a
// claim that anybody can write, never evidence.
type Parent struct {
	Name         string `json:"name"`   // where it may be opened, such as "org/name", or what it is called
	Source       string `json:"source"` // what declares it, such as "README.md"
	Relation     string `json:"relation,omitempty"`
	Organization string `json:"organization,omitempty"`
	Version      string `json:"version,omitempty"`
	URL          string `json:"url,omitempty"`
}

// Bounds of what is taken over from declarations.
const (
	maxParents = 64
	maxString  = 512 // bytes of one string
)

// Parents lists the declared parents in the order: model card, config.json,
// adapter_config.json, GGUF base models, GGUF source. A parent named twice is
// listed once, as first named.
func (c *Checkpoint) Parents() []Parent {
	var out []Parent
	add := func(p Parent) {
		if repo := hubName(p.Name); repo != "" {
			p.Name, p.URL = repo, p.Name
		}
		same := func(q Parent) bool { return q.Name == p.Name }
		if p.Name != "" && len(p.Name) <= maxString && len(out) < maxParents && !slices.ContainsFunc(out, same) {
			out = append(out, p)
		}
	}
	relation, _ := c.meta.String("card.base_model_relation")
	for _, d := range []struct{ key, source, relation string }{
		{"card.base_model", "README.md", relation},
		{"config._name_or_path", "config.json", ""},
		{"adapter.base_model_name_or_path", "adapter_config.json", "adapter"},
	} {
		for _, name := range oneOrMore(c.meta[d.key]) {
			add(Parent{Name: name, Source: d.source, Relation: d.relation})
		}
	}
	n, _ := c.meta.Int("general.base_model.count")
	for i := range min(n, maxParents) {
		add(parentAt(c.meta, fmt.Sprintf("general.base_model.%d", i), ""))
	}
	add(parentAt(c.meta, "general.source", "converted"))
	return out
}

// DeclaredParents lists the names of Parents.
func (c *Checkpoint) DeclaredParents() []string {
	var out []string
	for _, p := range c.Parents() {
		out = append(out, p.Name)
	}
	return out
}

// parentAt reads the GGUF keys under a prefix.
func parentAt(m tensor.Metadata, prefix, relation string) Parent {
	get := func(keys ...string) string {
		for _, k := range keys {
			if s, ok := m.String(prefix + "." + k); ok && s != "" && len(s) <= maxString {
				return s
			}
		}
		return ""
	}
	p := Parent{Name: get("name"), Source: prefix, Relation: relation, Organization: get("organization"), Version: get("version"), URL: get("repo_url", "url", "doi")}
	switch repo := hubName(p.URL); {
	case repo != "":
		p.Name = repo
	case p.Name == "":
		p.Name = p.URL
	case p.Organization != "":
		p.Name = hyphened(p.Organization) + "/" + hyphened(p.Name)
	}
	return p
}

// hyphened writes a name for display as the hub has it: converters put spaces
// where it has hyphens.
func hyphened(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), " ", "-") }

// hubName is "org/name" for the address of a model on the hub, "" for others.
func hubName(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host != "huggingface.co" {
		return ""
	}
	words := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(words) < 2 || words[0] == "" || words[1] == "" || words[0] == "datasets" || words[0] == "spaces" {
		return ""
	}
	return words[0] + "/" + words[1]
}

// oneOrMore is the string, or the strings of a list; nil for anything else.
func oneOrMore(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case *tensor.List:
		if v.Len <= maxParents {
			names, _ := v.Strings() // a list of something else declares nothing
			return names
		}
	}
	return nil
}
