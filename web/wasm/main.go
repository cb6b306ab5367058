//go:build js

// Command wasm is the library as a web page calls it: weightprint.compare(a, b,
// options, progress) in JavaScript, where a and b are lists of File objects. It reads
// ranges of the files that the page was given, and has no means to send anything.
package main

import (
	"bytes"
	"context"
	"fmt"
	"syscall/js"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/html"
	"github.com/weightprint/weightprint/report/verdict"
)

func main() {
	js.Global().Set("weightprint", js.ValueOf(map[string]any{
		"version": report.Version(),
		"compare": js.FuncOf(func(_ js.Value, args []js.Value) any { return promise(func() (any, error) { return compare(args) }) }),
	}))
	select {}
}

// promise runs work and settles a JavaScript promise with what it gives.
func promise(work func() (any, error)) js.Value {
	return js.Global().Get("Promise").New(js.FuncOf(func(_ js.Value, settle []js.Value) any {
		go func() {
			result, err := work()
			if err != nil {
				settle[1].Invoke(js.Global().Get("Error").New(err.Error()))
				return
			}
			settle[0].Invoke(result)
		}()
		return nil
	}))
}

// compare takes two lists of files, the options of the page and a function that is
// told of progress.
func compare(args []js.Value) (any, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("compare takes two lists of files, options and a function")
	}
	o := &report.Options{Depth: report.Depth(args[2].Get("depth").String()), Nonce: args[2].Get("nonce").String()}
	var err error
	if o.Budget, err = report.ParseBytes(args[2].Get("budget").String()); err != nil {
		return nil, err
	}
	t := &teller{to: args[3]}
	o.Progress = t.stage
	ctx := context.Background()
	var in [2]report.Input
	for i := range in {
		m, err := open(ctx, args[i], verdict.Side(i), t)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		in[i] = report.FromCheckpoint(ctx, m)
	}
	r, err := report.Build(ctx, in[0], in[1], o)
	if err != nil {
		return nil, err
	}
	return forms(r, report.Style{Columns: args[2].Get("columns").Int()})
}

// open opens one side: a single file by itself, several as a folder.
func open(ctx context.Context, list js.Value, side string, t *teller) (*formats.Checkpoint, error) {
	f := newFolder(list, side, t)
	if len(f.files) == 0 {
		return nil, fmt.Errorf("no file was given")
	}
	return formats.OpenFolder(ctx, f, f.only(), nil)
}

// forms are the report in the forms that the page shows or saves.
func forms(r *report.Report, style report.Style) (any, error) {
	var page, text, record bytes.Buffer
	for _, err := range []error{html.Write(r, &page), r.WriteBrief(&text, style), r.WriteJSON(&record)} {
		if err != nil {
			return nil, err
		}
	}
	return map[string]any{"relation": string(r.Verdict.Relation), "html": page.String(), "text": text.String(), "json": record.String()}, nil
}
