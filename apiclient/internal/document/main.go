// Command document writes the OpenAPI document of the management API in version
// 3.0, which is the one that the generator of the client reads. It takes it from
// the declarations that the server is built of, so no server has to run. It owns
// the way from 3.1 to 3.0 and nothing of what the document says.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/ostiary/ostiary/internal/endpoint/api"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "document:", err)
		os.Exit(1)
	}
}

func write() error {
	text, err := api.Document().Downgrade()
	if err != nil {
		return fmt.Errorf("write it as OpenAPI 3.0: %w", err)
	}
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("read it again: %w", err)
	}
	denull(document)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(document)
}

// denull writes "this, or null" as 3.0 does, wherever it stands: 3.1 has null as
// one of several schemas, 3.0 has a word for it.
func denull(node any) {
	switch n := node.(type) {
	case []any:
		for _, element := range n {
			denull(element)
		}
	case map[string]any:
		for _, value := range n {
			denull(value)
		}
		options, ok := n["oneOf"].([]any)
		if !ok {
			return
		}
		others := slices.DeleteFunc(slices.Clone(options), isNull)
		if len(others) == len(options) {
			return
		}
		n["nullable"] = true
		n["oneOf"] = others
		if len(others) == 1 {
			delete(n, "oneOf")
			n["allOf"] = others // a reference takes no other word beside it
		}
	}
}

func isNull(option any) bool {
	schema, ok := option.(map[string]any)
	return ok && schema["type"] == "null"
}
