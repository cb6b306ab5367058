package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// crawlHub is a hub of made-up repositories: it lists them, redirects to a store of
// weights by addresses that expire, is busy at times, and notes what it is asked.
type crawlHub struct {
	URL, store string
	repos      int
	busyEvery  int // requests after which one is answered 429

	servers []*http.Server
	mu      sync.Mutex
	asked   int
	run     int // what signed addresses are given out in
	signed  map[string]*signature
	parts   map[part]int    // answers that held a part of each shard, in each run
	read    map[string]bool // shards of which a part was given out
	whole   int             // requests for weights without Range
	busy    int
	expired int
}

// signature is what an address was given out with. A request that a stopped run left
// on its way may arrive during the next, so it tells its run.
type signature struct {
	run, left int // left is how often it may still be used
}

// part is a shard asked for in a run.
type part struct {
	run   int
	shard string
}

// wordyBytes is how long a header is made that is longer than others.
const wordyBytes = 150 << 10

// uses is how often a signed address may be used.
const uses = 2

// fate is what a crawler meets in a repository.
type fate int

const (
	plain fate = iota
	sharded
	gone
	gated
	wrongSize
	long   // more than is read at first
	large  // more than is read by any one range
	wordy  // a header longer than what is read at first
	copied // the same weights as the repository before it
)

func fateOf(i int) fate {
	switch i % 25 {
	case 3, 11:
		return sharded
	case 5:
		return gone
	case 7:
		return gated
	case 9:
		return wrongSize
	case 1:
		return copied
	case 13:
		return long
	case 17:
		if i%250 == 17 {
			return large
		}
		return long
	case 15:
		return wordy
	}
	return plain
}

const crawlCommit = "c0ffee42c0ffee42c0ffee42c0ffee42c0ffee42"

func serveCrawl(repos int) (*crawlHub, error) {
	h := &crawlHub{repos: repos, busyEvery: 97, signed: map[string]*signature{}, parts: map[part]int{}, read: map[string]bool{}}
	for _, s := range []struct {
		url     *string
		handler http.HandlerFunc
	}{{&h.URL, h.hub}, {&h.store, h.weights}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*s.url = "http://" + l.Addr().String()
		server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second}
		h.servers = append(h.servers, server)
		go server.Serve(l) // returns when closed
	}
	return h, nil
}

func (h *crawlHub) close() {
	for _, s := range h.servers {
		s.Close()
	}
}

// nextRun begins a run: what is read at a stop is read again.
func (h *crawlHub) nextRun() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.run++
}

// mostParts is how often one shard was asked for in one run, at most, and how many
// shards were read in all.
func (h *crawlHub) mostParts() (most, read int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.parts {
		most = max(most, n)
	}
	return most, len(h.read)
}

// answersBusy counts requests and refuses some.
func (h *crawlHub) answersBusy(w http.ResponseWriter) bool {
	h.mu.Lock()
	h.asked++
	busy := h.asked%h.busyEvery == 0
	if busy {
		h.busy++
	}
	h.mu.Unlock()
	if busy {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "busy", http.StatusTooManyRequests)
	}
	return busy
}

// files are a repository's weights.
func files(i int) []string {
	if fateOf(i) == sharded {
		return []string{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
	}
	return []string{"model.safetensors"}
}

func (h *crawlHub) hub(w http.ResponseWriter, r *http.Request) {
	if h.answersBusy(w) {
		return
	}
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case len(p) == 6 && p[0] == "api":
		h.list(w, r, number(p[3]))
	case len(p) == 5 && p[2] == "resolve":
		h.resolve(w, r, number(p[1]), p[4])
	default:
		http.NotFound(w, r)
	}
}

func number(repo string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(repo, "repo"))
	if err != nil {
		return -1
	}
	return n
}

func (h *crawlHub) list(w http.ResponseWriter, r *http.Request, i int) {
	if i < 0 || i >= h.repos || fateOf(i) == gone {
		http.NotFound(w, r)
		return
	}
	type sibling struct {
		Name string `json:"rfilename"`
	}
	all := []sibling{{"README.md"}}
	for _, f := range files(i) {
		all = append(all, sibling{f})
	}
	if fateOf(i) == sharded {
		all = append(all, sibling{"model.safetensors.index.json"})
	}
	json.NewEncoder(w).Encode(map[string]any{"sha": crawlCommit, "siblings": all})
}

func (h *crawlHub) resolve(w http.ResponseWriter, r *http.Request, i int, name string) {
	w.Header().Set("X-Repo-Commit", crawlCommit)
	switch {
	case fateOf(i) == gated:
		http.Error(w, "gated", http.StatusForbidden)
		return
	case name == "model.safetensors.index.json" && fateOf(i) == sharded:
		json.NewEncoder(w).Encode(shardIndex(i))
		return
	case !strings.HasSuffix(name, ".safetensors"):
		http.NotFound(w, r)
		return
	}
	b := shard(i, name)
	sum := sha256.Sum256(b)
	size := len(b)
	if fateOf(i) == wrongSize {
		size += 8
	}
	w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
	w.Header().Set("X-Linked-Size", strconv.Itoa(size))
	h.mu.Lock()
	key := strconv.Itoa(len(h.signed))
	h.signed[key] = &signature{h.run, uses}
	if fateOf(i) == long || fateOf(i) == large || fateOf(i) == wordy {
		h.signed[key].left = 1 // it has expired when the rest is asked for
	}
	h.mu.Unlock()
	http.Redirect(w, r, fmt.Sprintf("%s/%d/%s?signature=%s", h.store, i, name, key), http.StatusFound)
}

func (h *crawlHub) weights(w http.ResponseWriter, r *http.Request) {
	if h.answersBusy(w) {
		return
	}
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	key := r.URL.Query().Get("signature")
	h.mu.Lock()
	signed, known := h.signed[key]
	if !known {
		signed = &signature{}
	}
	valid := signed.left > 0
	signed.left--
	if !valid {
		h.expired++
	} else if r.Header.Get("Range") == "" {
		h.whole++
	} else {
		h.parts[part{signed.run, strings.Join(p, "/")}]++
		h.read[strings.Join(p, "/")] = true
	}
	h.mu.Unlock()
	if !valid {
		http.Error(w, "expired", http.StatusForbidden)
		return
	}
	i, _ := strconv.Atoi(p[0])
	b := shard(i, p[1])
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b)))
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(b)))
}

// crawled names and sizes of the tensors of a model; those of a sharded one are
// shared between its files.
var crawled = []struct {
	name       string
	rows, cols int
}{
	{"model.embed_tokens.weight", 96, 32}, {"model.layers.0.input_layernorm.weight", 1, 32}, {"model.layers.0.mlp.down_proj.weight", 32, 64}, {"model.layers.0.mlp.gate_proj.weight", 64, 32},
	{"model.layers.0.mlp.up_proj.weight", 64, 32}, {"model.layers.0.post_attention_layernorm.weight", 1, 32}, {"model.layers.0.self_attn.k_proj.weight", 32, 32}, {"model.layers.0.self_attn.o_proj.weight", 32, 32},
	{"model.layers.0.self_attn.q_proj.weight", 32, 32}, {"model.layers.0.self_attn.v_proj.weight", 32, 32}, {"model.norm.weight", 1, 32},
}

func shardIndex(i int) map[string]any {
	where := map[string]string{}
	for k, t := range crawled {
		where[t.name] = files(i)[k%2]
	}
	return map[string]any{"metadata": map[string]any{}, "weight_map": where}
}

// shard makes a file of a repository: the same each time.
func shard(i int, name string) []byte {
	header, seed := map[string]any{}, i
	if fateOf(i) == copied {
		seed = i - 1
	}
	r := rand.New(rand.NewPCG(uint64(seed), 11))
	var data []byte
	for k, t := range crawled {
		if rows := map[fate]int{long: 700, large: 20_000}[fateOf(i)]; k == 0 && rows > 0 {
			t.rows = rows
		}
		values := make([]float64, t.rows*t.cols)
		for v := range values {
			values[v] = r.NormFloat64() / 32
		}
		if fateOf(i) == sharded && files(i)[k%2] != name {
			continue
		}
		shape := []int{t.rows, t.cols}
		if t.rows == 1 {
			shape = shape[1:]
		}
		header[t.name] = map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{len(data), len(data) + 4*len(values)}}
		for _, v := range values {
			data = binary.LittleEndian.AppendUint32(data, float32bits(v))
		}
	}
	if fateOf(i) == wordy {
		header["__metadata__"] = map[string]string{"card": strings.Repeat("made up ", wordyBytes/8)}
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err) // names and numbers
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), data...)
}
