package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// smallOpenVINO is codes of 2 × 2, converted and multiplied by a scale.
func smallOpenVINO(string) ([][]byte, error) {
	return [][]byte{[]byte(`<?xml version="1.0"?><net name="m" version="11"><layers>` +
		`<layer id="0" name="w" type="Const"><data element_type="i8" shape="2,2" offset="0" size="4"/><output><port id="0" precision="I8"><dim>2</dim><dim>2</dim></port></output></layer>` +
		`<layer id="1" name="c" type="Convert"><data destination_type="f32"/><input><port id="0"/></input><output><port id="0"/></output></layer>` +
		`<layer id="2" name="s" type="Const"><data element_type="f32" shape="2,1" offset="0" size="8"/><output><port id="0"/></output></layer>` +
		`<layer id="3" name="m" type="Multiply"><input><port id="0"/><port id="1"/></input><output><port id="0"/></output></layer>` +
		`</layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/><edge from-layer="1" from-port="0" to-layer="3" to-port="0"/><edge from-layer="2" from-port="0" to-layer="3" to-port="1"/></edges></net>`)}, nil
}

// smallKeras packs the smallest file of HDF5 as Keras does.
func smallKeras(module string) ([][]byte, error) {
	weights, err := os.ReadFile(filepath.Join(module, "formats", "hdf5", "testdata", "v110.h5"))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range []struct {
		name string
		text []byte
	}{{"metadata.json", []byte(`{"keras_version":"3.0.0"}`)}, {"config.json", []byte(`{"module":"keras","class_name":"Sequential","config":{"name":"m","layers":[{"class_name":"Dense","config":{"name":"d","units":2}}]}}`)}, {"model.weights.h5", weights}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name})
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(m.text); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return [][]byte{b.Bytes()}, err
}

// smallReport is every section of a report by itself, lists cut to their beginning.
func smallReport(module string) ([][]byte, error) {
	names, err := filepath.Glob(filepath.Join(module, "cmd", "weightprint", "testdata", "kept", "*", "report.json"))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var all map[string]any
		if err := json.Unmarshal(b, &all); err != nil {
			return nil, err
		}
		for _, k := range slices.Sorted(maps.Keys(all)) {
			b, err := json.Marshal(map[string]any{"schema": all["schema"], k: beginning(all[k])})
			if err != nil {
				return nil, err
			}
			out = append(out, b)
		}
	}
	return out, nil
}

// beginning is a value whose lists hold two things at most.
func beginning(v any) any {
	switch v := v.(type) {
	case []any:
		v = v[:min(len(v), 2)]
		for i := range v {
			v[i] = beginning(v[i])
		}
		return v
	case map[string]any:
		for k := range v {
			v[k] = beginning(v[k])
		}
	}
	return v
}
