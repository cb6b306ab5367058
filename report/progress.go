package report

import (
	"sync"
	"time"
)

// Progress is how far a comparison has come.
type Progress struct {
	Stage string `json:"stage"` // what is being done, one of Stages
	Step  int    `json:"step"`  // the place of Stage among Stages, from 1
	Steps int    `json:"steps"` // how many stages there are
	Read  int64  `json:"read"`  // bytes read so far of both subjects
	Total int64  `json:"total"` // bytes that are read of them at most; a verdict may need fewer
}

// The stages of a comparison.
const (
	stageAlign   = "align"   // find which tensors, layers and heads stand against each other
	stageTest    = "test"    // run the tests, look by look
	stageMeasure = "measure" // compare how values are stored and by what they differ
	stageCarry   = "carry"   // run the networks on a few inputs of their own
	stageDecide  = "decide"  // draw the verdict and put it into words
)

// Stages lists the stages of a comparison in their order.
func Stages() []string {
	return []string{stageAlign, stageTest, stageMeasure, stageCarry, stageDecide}
}

// progressEvery is how often Options.Progress hears of bytes within a stage.
const progressEvery = 100 * time.Millisecond

// watcher tells Options.Progress of stages and bytes, one call at a time.
type watcher struct {
	mu    sync.Mutex
	tell  func(Progress)
	in    [2]Input
	now   Progress
	ended chan struct{}
	wg    sync.WaitGroup
}

// watch begins to tell; it tells nobody where nobody asked.
func watch(o *Options, in [2]Input) *watcher {
	w := &watcher{in: in, ended: make(chan struct{})}
	if o == nil || o.Progress == nil {
		return w
	}
	w.tell = o.Progress
	w.now = Progress{Steps: len(Stages()), Total: o.mostRead(in)}
	w.wg.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-w.ended:
				return
			case <-tick.C:
				w.report("")
			}
		}
	})
	return w
}

// mostRead bounds what is read of two subjects.
func (o *Options) mostRead(in [2]Input) (n int64) {
	f := o.WithDefaults()
	for i := range in {
		total := in[i].BytesTotal()
		if f.Budget != Full && !f.Pin {
			total = min(total, int64(f.Budget))
		}
		n += total
	}
	return n
}

// stage says that the next stage begins.
func (w *watcher) stage(name string) { w.report(name) }

// report makes one call. A name begins a stage.
func (w *watcher) report(stage string) {
	if w.tell == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if stage != "" {
		w.now.Stage, w.now.Step = stage, w.now.Step+1
	}
	if w.now.Step == 0 {
		return // nothing has begun
	}
	w.now.Read = max(w.now.Read, w.in[0].BytesRead()+w.in[1].BytesRead())
	w.now.Total = max(w.now.Total, w.now.Read)
	w.tell(w.now)
}

// end makes the last call; none follows it.
func (w *watcher) end() {
	close(w.ended)
	w.wg.Wait()
	w.report("")
}
