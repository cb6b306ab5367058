package pipeline

import (
	"fmt"
	"strconv"
	"strings"
)

// resnet and attention are the modules within a block; the names of transformer
// blocks are the same in both layouts.
var resnet = strings.NewReplacer("in_layers.0", "norm1", "in_layers.2", "conv1", "out_layers.0", "norm2", "out_layers.3", "conv2", "emb_layers.1", "time_emb_proj", "skip_connection", "conv_shortcut")

// unetEnds are the modules outside the blocks.
var unetEnds = compiled([]rule{
	{from: `time_embed\.0\.(\w+)`, to: "time_embedding.linear_1.$1"},
	{from: `time_embed\.2\.(\w+)`, to: "time_embedding.linear_2.$1"},
	{from: `label_emb\.0\.0\.(\w+)`, to: "add_embedding.linear_1.$1"},
	{from: `label_emb\.0\.2\.(\w+)`, to: "add_embedding.linear_2.$1"},
	{from: `input_blocks\.0\.0\.(\w+)`, to: "conv_in.$1"},
	{from: `out\.0\.(\w+)`, to: "conv_norm_out.$1"},
	{from: `out\.2\.(\w+)`, to: "conv_out.$1"},
	{from: `middle_block\.1\.(.+)`, to: "mid_block.attentions.0.$1"},
})

var unetBlock = pattern(`^(input_blocks|middle_block|output_blocks)\.(\d{1,3})\.(?:(\d)\.)?(.+)$`)

// unetName is the name of a tensor of a U-Net. These files count the modules of all
// blocks through; of two resolutions that follow one another every third input
// block shrinks, and every third output block ends with what enlarges.
func unetName(name string) (string, bool) {
	if to, _, ok := apply(unetEnds, name); ok {
		return to[0], true
	}
	m := unetBlock().FindStringSubmatch(name)
	if m == nil {
		return "", false
	}
	at, _ := strconv.Atoi(m[2])
	rest := m[4]
	switch {
	case m[1] == "middle_block" && m[3] == "" && (at == 0 || at == 2):
		return fmt.Sprintf("mid_block.resnets.%d.%s", at/2, resnet.Replace(rest)), true
	case m[1] == "input_blocks" && at > 0:
		return inputBlock((at-1)/3, (at-1)%3, m[3], rest), true
	case m[1] == "output_blocks":
		return outputBlock(at/3, at%3, m[3], rest), true
	}
	return "", false
}

func inputBlock(block, layer int, module, rest string) string {
	switch down, is := strings.CutPrefix(rest, "op."); {
	case is:
		return fmt.Sprintf("down_blocks.%d.downsamplers.0.conv.%s", block, down)
	case module == "1":
		return fmt.Sprintf("down_blocks.%d.attentions.%d.%s", block, layer, rest)
	}
	return fmt.Sprintf("down_blocks.%d.resnets.%d.%s", block, layer, resnet.Replace(rest))
}

func outputBlock(block, layer int, module, rest string) string {
	switch up, is := strings.CutPrefix(rest, "conv."); {
	case is:
		return fmt.Sprintf("up_blocks.%d.upsamplers.0.conv.%s", block, up)
	case module == "1":
		return fmt.Sprintf("up_blocks.%d.attentions.%d.%s", block, layer, rest)
	}
	return fmt.Sprintf("up_blocks.%d.resnets.%d.%s", block, layer, resnet.Replace(rest))
}
